// What a kernel reads and writes: the operands of its arguments, their roles, and which values make
// sense in them. For whoever watches or repeats calls without knowing the kernel: plans, checks for
// NaN, the benchmark. After each struct of arguments stands its `visit(args, v)`, which calls
// `v(name, role, view)` or `v(name, role, view, content)` for each operand, given or not.
#pragma once

#include <vector>

#include "kernels/api/view.h"

namespace glia {

/// What a kernel does with an operand: reads it, overwrites it, changes it by its formula (an
/// optimizer's moments), or adds to it (a gradient in accumulate mode).
enum class Role : std::uint8_t { in, out, update, add };

/// Which values make sense in an operand.
enum class Content : std::uint8_t {
  spread,     // mean 0, variance 1
  positive,   // in [0.5, 1.5): variances, deviations, second moments
  binary,     // one in ten is 1: masks
  place,      // 0 to 3: where in a 2x2 window the maximum was
  sums,       // in [1000, 2000): intersections and unions
  unchecked,  // a result whose elements are sums over all others, which a single element's formula
              // does not know
};

struct Operand {
  const char* name = "";
  Role role = Role::in;
  Content content = Content::spread;
  ConstView view{};

  /// Elements from the first to the last, with what lies between the rows of a channel slice.
  std::int64_t span() const {
    return view.rows() == 0 ? 0 : (view.rows() - 1) * view.pitch + view.channels();
  }
  bool written() const { return role != Role::in; }
};

constexpr Role gradient(Write write) {
  return write == Write::overwrite ? Role::out : Role::add;
}

/// The operands that are given.
template <class Args>
std::vector<Operand> operands_of(Args args) {
  std::vector<Operand> list;
  visit(args,
        [&](const char* name, Role role, const auto& view, Content content = Content::spread) {
          if (view) list.push_back({name, role, content, view});
        });
  return list;
}

}  // namespace glia
