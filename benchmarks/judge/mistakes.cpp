#include "benchmarks/judge/mistakes.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <vector>

#include "benchmarks/judge/devices.h"
#include "benchmarks/judge/transfer.h"
#include "benchmarks/reference/reference.h"
#include "engine/base/check.h"

namespace glia::test {

namespace {

using reference::Values;

/// What a wrapped entry works with: kernels are plain functions and hold nothing themselves.
struct Ground {
  const KernelTable* right = nullptr;
  std::shared_ptr<Allocator> memory;
  std::int64_t runs = 0;
  std::map<const void*, Values> pooled{};  // what max_pool2d read, by the memory of its index
};
Ground g_ground;

Values read(const ConstView& view) {
  return load(view, *g_ground.memory);
}

/// Lets `change` alter what the right kernel writes to `result`, and adds that where it is asked
/// to add.
template <auto entry, class Change>
void altered(KernelContext& context, ArgsOf<entry> args, View ArgsOf<entry>::*result,
             const Change& change) {
  const View target = args.*result;
  Write write = Write::overwrite;
  Values before;
  if constexpr (requires { args.write; }) write = std::exchange(args.write, Write::overwrite);
  if (write == Write::accumulate) before = read(target);
  (g_ground.right->*entry)(context, args);
  if (!target) return;
  ++g_ground.runs;
  Values values = read(target);
  change(values);
  for (std::size_t i = 0; i < before.size(); ++i) values[i] += before[i];
  store(values, target, *g_ground.memory);
}

void negated_wgrad(KernelContext& context, const Conv2dWgrad& args) {
  altered<&KernelTable::conv2d_wgrad>(context, args, &Conv2dWgrad::dw, [](Values& dw) {
    for (double& v : dw) v = -v;
  });
}

void overwriting_pool(KernelContext& context, const MaxPool2dBackward& args) {
  MaxPool2dBackward wrong = args;
  wrong.write = Write::overwrite;
  g_ground.runs += args.write == Write::accumulate;
  g_ground.right->max_pool2d_backward(context, wrong);
}

/// [K,R,S,C] read as if it were [C,R,S,K].
Values transposed(const ConvGeometry& g, const Values& w) {
  Values other;
  for (std::int64_t k = 0; k < g.K; ++k)
    for (std::int64_t tap = 0; tap < g.R * g.S; ++tap)
      for (std::int64_t c = 0; c < g.C; ++c)
        other.push_back(w[static_cast<std::size_t>((c * g.R * g.S + tap) * g.K + k)]);
  return other;
}

void dgrad_of_transposed(KernelContext& context, const Conv2dDgrad& args) {
  const Values w = transposed(args.geometry, read(args.w)), dy = read(args.dy);
  altered<&KernelTable::conv2d_dgrad>(context, args, &Conv2dDgrad::dx, [&](Values& dx) {
    dx = reference::conv_transpose2d(args.geometry, dy, w, {});
  });
}

ConvGeometry without_stride(ConvGeometry g) {
  g.stride_h = g.stride_w = 1;
  return g;
}

bool has_stride(const ConvGeometry& g) {
  return g.stride_h > 1 || g.stride_w > 1;
}

void dgrad_without_stride(KernelContext& context, const Conv2dDgrad& args) {
  if (!has_stride(args.geometry)) return g_ground.right->conv2d_dgrad(context, args);
  const Values w = read(args.w), dy = read(args.dy);
  altered<&KernelTable::conv2d_dgrad>(context, args, &Conv2dDgrad::dx, [&](Values& dx) {
    dx = reference::conv_transpose2d(without_stride(args.geometry), dy, w, {});
  });
}

void transpose_dgrad_without_stride(KernelContext& context, const ConvTranspose2dDgrad& args) {
  if (!has_stride(args.geometry)) return g_ground.right->conv_transpose2d_dgrad(context, args);
  const Values w = read(args.w), dy = read(args.dy);
  altered<&KernelTable::conv_transpose2d_dgrad>(
      context, args, &ConvTranspose2dDgrad::dx,
      [&](Values& dx) { dx = reference::conv2d(without_stride(args.geometry), dy, w, {}); });
}

/// The convolution after a concatenation is the one of 3x3 that halves the channels; the skip comes
/// first.
void dgrad_without_skip(KernelContext& context, const Conv2dDgrad& args) {
  const ConvGeometry& g = args.geometry;
  if (g.C != 2 * g.K || g.R != 3) return g_ground.right->conv2d_dgrad(context, args);
  altered<&KernelTable::conv2d_dgrad>(context, args, &Conv2dDgrad::dx, [&](Values& dx) {
    for (std::size_t i = 0; i < dx.size(); ++i)
      if (static_cast<std::int64_t>(i) % g.C < g.K) dx[i] = 0;
  });
}

Values read_mapped(const ConstView& x, const ConstView& map) {
  return map ? reference::apply_map(read(x), read(map)) : read(x);
}

void remembering_pool(KernelContext& context, const MaxPool2dForward& args) {
  g_ground.pooled[args.index.data] = read_mapped(args.x, args.x_map);
  g_ground.right->max_pool2d_forward(context, args);
}

void remembering_materialise(KernelContext& context, const Materialise& args) {
  if (args.index) g_ground.pooled[args.index.data] = read_mapped(args.x, args.map);
  g_ground.right->materialise(context, args);
}

/// Calls `visit(output element, input element)` for every place of every window.
template <class Visit>
void for_each_place(const PoolGeometry& g, const Visit& visit) {
  std::size_t out = 0;
  for (std::int64_t n = 0; n < g.N; ++n)
    for (std::int64_t p = 0; p < g.P; ++p)
      for (std::int64_t q = 0; q < g.Q; ++q)
        for (std::int64_t c = 0; c < g.C; ++c, ++out)
          for (std::int64_t i = 0; i < g.window * g.window; ++i) {
            const std::int64_t h = p * g.stride + i / g.window, w = q * g.stride + i % g.window;
            visit(out, static_cast<std::size_t>(((n * g.H + h) * g.W + w) * g.C + c));
          }
}

void pool_backward_to_all_ties(KernelContext& context, const MaxPool2dBackward& args) {
  const PoolGeometry& g = args.geometry;
  const Values dy = read(args.dy), &x = g_ground.pooled.at(args.index.data);
  const Values y = reference::max_pool2d(g, x).y;
  altered<&KernelTable::max_pool2d_backward>(
      context, args, &MaxPool2dBackward::dx, [&](Values& dx) {
        std::fill(dx.begin(), dx.end(), 0.0);
        for_each_place(g, [&](std::size_t out, std::size_t in) {
          if (x[in] == y[out]) dx[in] += dy[out];
        });
      });
}

/// Puts back what mean(dy) takes from each element of dx: gamma * invstd * mean(dy).
void add_middle_term(Values& dx, const Values& dy, const ConstView& gamma,
                     const ConstView& invstd) {
  const Values scale = read(gamma), deviation = read(invstd);
  const std::size_t channels = scale.size();
  Values mean(channels, 0.0);
  for (std::size_t i = 0; i < dy.size(); ++i)
    mean[i % channels] += dy[i] * static_cast<double>(channels) / static_cast<double>(dy.size());
  for (std::size_t i = 0; i < dx.size(); ++i)
    dx[i] += scale[i % channels] * deviation[i % channels] * mean[i % channels];
}

void norm_without_middle(KernelContext& context, const BatchNormBackwardTrain& args) {
  const Values dy = read(args.dy);
  altered<&KernelTable::batch_norm_backward_train>(
      context, args, &BatchNormBackwardTrain::dx,
      [&](Values& dx) { add_middle_term(dx, dy, args.gamma, args.invstd); });
}

/// dy where the map of x is above 0, before dx takes the memory of dy.
template <class Args>
Values masked(const Args& args) {
  Values dz = read(args.dy);
  const Values y = reference::apply_map(read(args.x), read(args.map));
  for (std::size_t i = 0; i < dz.size(); ++i)
    if (y[i] <= 0) dz[i] = 0;
  return dz;
}

template <auto entry>
void norm_relu_without_middle(KernelContext& context, const ArgsOf<entry>& args) {
  const Values dz = masked(args);
  altered<entry>(context, args, &ArgsOf<entry>::dx,
                 [&](Values& dx) { add_middle_term(dx, dz, args.gamma, args.invstd); });
}

/// Entries that a backend has not stay empty.
template <auto entry>
void wrap(KernelTable& table, Kernel<ArgsOf<entry>> with) {
  if (table.*entry != nullptr) table.*entry = with;
}

constexpr Mistake kMistakes[] = {
    {"sign", "conv2d", "the gradient of a convolution's weights has the wrong sign",
     [](KernelTable& t) { wrap<&KernelTable::conv2d_wgrad>(t, negated_wgrad); }},
    {"accumulate", "max_pool2d concat",
     "max_pool2d's gradient overwrites (=) what came through the skip, where it must add (+=)",
     [](KernelTable& t) { wrap<&KernelTable::max_pool2d_backward>(t, overwriting_pool); }},
    {"transposed-weights", "conv2d concat",
     "a convolution's dgrad reads its weights [K,R,S,C] as [C,R,S,K]",
     [](KernelTable& t) { wrap<&KernelTable::conv2d_dgrad>(t, dgrad_of_transposed); }},
    {"stride-forgotten", "conv2d conv_transpose2d",
     "the gradient of the input is computed as if the stride were 1",
     [](KernelTable& t) {
       wrap<&KernelTable::conv2d_dgrad>(t, dgrad_without_stride);
       wrap<&KernelTable::conv_transpose2d_dgrad>(t, transpose_dgrad_without_stride);
     }},
    {"no-skip-gradient", "concat",
     "no gradient through the skip: its channels of the concatenation's gradient are 0",
     [](KernelTable& t) { wrap<&KernelTable::conv2d_dgrad>(t, dgrad_without_skip); }},
    {"tie-to-two", "max_pool2d", "each of several equal maxima gets the whole gradient",
     [](KernelTable& t) {
       wrap<&KernelTable::max_pool2d_forward>(t, remembering_pool);
       wrap<&KernelTable::materialise>(t, remembering_materialise);
       wrap<&KernelTable::max_pool2d_backward>(t, pool_backward_to_all_ties);
     }},
    {"norm-middle-term", "batch_norm batch_norm_relu",
     "batch norm's gradient of its input leaves out mean(dy)",
     [](KernelTable& t) {
       wrap<&KernelTable::batch_norm_backward_train>(t, norm_without_middle);
       constexpr auto whole = &KernelTable::batch_norm_relu_backward_train;
       wrap<whole>(t, norm_relu_without_middle<whole>);
       constexpr auto apply = &KernelTable::batch_norm_relu_backward_apply;
       wrap<apply>(t, norm_relu_without_middle<apply>);
     }},
};

}  // namespace

std::span<const Mistake> mistakes() {
  return kMistakes;
}

const Mistake& find_mistake(std::string_view name) {
  std::vector<std::string> names;
  for (const Mistake& mistake : kMistakes) {
    if (name == mistake.name) return mistake;
    names.emplace_back(mistake.name);
  }
  fail("--break: found '{}', expected one of {}; --break list says what each is", name,
       fmt::join(names, ", "));
}

bool shows(const Mistake& mistake, std::string_view op) {
  const std::string ops = fmt::format(" {} ", mistake.ops);
  return ops.find(fmt::format(" {} ", op)) != std::string::npos;
}

Planted::Planted(const Mistake& mistake, const KernelTable& kernels) : table_(kernels) {
  g_ground = {.right = &kernels, .memory = guarded_memory(kernels)};
  mistake.plant(table_);
}

Planted::~Planted() {
  g_ground = {};
}

std::int64_t Planted::runs() const {
  return g_ground.runs;
}

}  // namespace glia::test
