// What is summed over the shards of a batch: equal parts that are computed apart, by ranks or in
// turn. docs/ops/fold.md
#pragma once

#include <cstdint>

#include "kernels/api/operands.h"
#include "kernels/api/view.h"

namespace glia {

/// parts [V, n], f32 or f64, dense: row 0 becomes the sum of all rows, by pairs of neighbours, then
/// pairs of pairs: ((0 + 1) + (2 + 3)) + 4. So the sum of the first half is part of that of all,
/// and ranks that have folded 1, 2, 4 ... rows each give the same bits. Other rows have no meaning
/// afterwards.
struct Fold {
  View parts;
};
template <class V>
void visit(Fold& a, const V& v) {
  v("parts", Role::update, a.parts);
}

/// parts f64 [V, 2, C], as ChannelMoments gives them of `rows` pixels each; moments f64 [2, C] of
/// all of them, by Chan's rule in the order of the parts (Chan, Golub & LeVeque, 1983).
struct MergeMoments {
  ConstView parts;
  View moments;
  std::int64_t rows = 0;
};
template <class V>
void visit(MergeMoments& a, const V& v) {
  v("parts", Role::in, a.parts, Content::positive);
  v("moments", Role::out, a.moments);
}

}  // namespace glia
