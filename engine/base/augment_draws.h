// What is drawn for a slice that is augmented: by the data layer on the host, for kernels and for
// the host's own code. Formulas: docs/augmentation.md.
#pragma once

#include <cstdint>
#include <type_traits>

namespace glia {

/// What is drawn for one slice of a batch. Without a change each is as it stands here.
struct AugmentDraws {
  std::int64_t slice = 0;  // the place of the slice among those it is taken from
  // A pixel (dx, dy) from the centre shows the place (xx dx + xy dy, yx dx + yy dy).
  double xx = 1, xy = 0, yx = 0, yy = 1;
  double exponent = 1;               // of gamma
  double brightness = 0, noise = 0;  // in standard deviations of the moved slice
  std::uint64_t noise_key = 0;       // of the noise's random numbers
  bool operator==(const AugmentDraws&) const = default;

  constexpr bool moves() const { return xx != 1 || xy != 0 || yx != 0 || yy != 1; }
};
static_assert(std::is_trivially_copyable_v<AugmentDraws>);

/// The stream of `noise_key` from which a value's noise is drawn, at its place in the slice.
inline constexpr std::uint64_t kNoiseStream = 1;

/// How many elements of a tensor of i64 hold the draws of a slice.
inline constexpr std::int64_t kAugmentWords = sizeof(AugmentDraws) / sizeof(std::int64_t);
static_assert(sizeof(AugmentDraws) % sizeof(std::int64_t) == 0);

}  // namespace glia
