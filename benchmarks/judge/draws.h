// The numbers that a case is run with, from a fixed seed, and what is computed of such numbers.
#pragma once

#include "benchmarks/judge/examine.h"
#include "engine/base/rng.h"

namespace glia::test {

inline constexpr std::uint64_t kDrawSeed = 20240131;

double largest(const Values& values);
double dot(const Values& a, const Values& b);

/// `count` numbers with 0.25 <= |x| < 1 and random signs, representable as float.
Values signed_numbers(std::size_t count, std::uint64_t stream);

/// The values of an input, as its `fill` says.
Values draw(const Input& input, std::uint64_t stream);

/// By how much an element is moved for a central difference: small against the input's spread, and
/// against the distance between two spaced elements.
double difference_step(const Input& input, const Values& values);

}  // namespace glia::test
