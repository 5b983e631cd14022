#include "kernels/onednn/call.h"

#include <dnnl_debug.h>
#include <fmt/ranges.h>

#include <bit>
#include <string>
#include <unordered_map>

#include "engine/base/check.h"
#include "kernels/onednn/interface.h"
#include "kernels/onednn/thread_count.h"

namespace glia::onednn {

namespace {

/// Parts of one reservation of the workspace.
class Scratch {
 public:
  /// The place of a part, for `at`.
  std::size_t add(std::size_t bytes) {
    const std::size_t place = bytes_;
    bytes_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
    return place;
  }
  void reserve(KernelContext& context) {
    if (bytes_ > 0) base_ = static_cast<std::byte*>(context.workspace.reserve(bytes_));
  }
  void* at(std::size_t place) const { return base_ + place; }

 private:
  static constexpr std::size_t kAlignment = 64;
  std::size_t bytes_ = 0;
  std::byte* base_ = nullptr;
};

PlanKey key_of(const KernelContext& context, const Call& call) {
  PlanKey key{call.op, {context.threads}};
  for (const auto& [name, value] : call.parameters)
    key.second.push_back(std::bit_cast<std::int64_t>(value));
  for (const Operand& o : call.operands) {
    const std::vector<std::int64_t> layout = layout_of(o.desc);
    key.second.insert(key.second.end(), {o.argument, o.accumulates(), o.data != nullptr,
                                         static_cast<std::int64_t>(layout.size())});
    key.second.insert(key.second.end(), layout.begin(), layout.end());
  }
  return key;
}

Bridge bridge_to(const Operand& o, const Desc& wanted, const dnnl::engine& engine) {
  Bridge bridge{.wanted = wanted};
  if (!o.data || (o.desc == wanted && !o.accumulates())) return bridge;
  dnnl::primitive_attr attr;
  if (o.accumulates()) {
    dnnl::post_ops add;
    add.append_sum(1);
    attr.set_post_ops(add);
  }
  const Desc& from = o.written ? wanted : o.desc;
  const Desc& to = o.written ? o.desc : wanted;
  bridge.copy = dnnl::reorder({engine, from, engine, to, attr});
  return bridge;
}

Plan make_plan(const Call& call, const dnnl::engine& engine) {
  const dnnl::primitive_desc_base described = call.describe(engine);
  Plan plan{.primitive = dnnl::primitive(described.get()),
            .scratchpad = described.query_md(dnnl::query::scratchpad_md)};
  for (const Operand& o : call.operands)
    plan.bridges.push_back(
        bridge_to(o, described.query_md(dnnl::query::exec_arg_md, o.argument), engine));
  return plan;
}

void copy(Library& library, const Bridge& bridge, const dnnl::memory& from,
          const dnnl::memory& to) {
  bridge.copy.execute(library.stream(), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
}

void execute(KernelContext& context, Library& library, const Plan& plan,
             const std::vector<Operand>& operands) {
  // A sum must be made where the other summand is.
  const auto is_blocked = [&](std::size_t i) {
    return library.layouts() == Layouts::blocked && plan.bridges[i].copy &&
           !operands[i].accumulates();
  };
  const auto memory = [&](const Desc& desc, void* data) {
    return dnnl::memory(desc, library.engine(), data);
  };
  Scratch scratch;
  const std::size_t scratchpad = scratch.add(plan.scratchpad.get_size());
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const bool wants_scratch = !operands[i].data || (plan.bridges[i].copy && !is_blocked(i));
    places.push_back(wants_scratch ? scratch.add(plan.bridges[i].wanted.get_size()) : 0);
  }
  scratch.reserve(context);

  BlockedCopies& copies = library.copies();
  std::unordered_map<int, dnnl::memory> arguments{
      {DNNL_ARG_SCRATCHPAD, memory(plan.scratchpad, scratch.at(scratchpad))}};
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Operand& o = operands[i];
    const Bridge& bridge = plan.bridges[i];
    if (is_blocked(i)) {
      arguments[o.argument] = o.written ? copies.to_write(o, bridge, context.threads)
                                        : copies.to_read(o, bridge, context.threads);
      continue;
    }
    copies.store(o.data, o.bytes);
    const bool as_given = o.data && !bridge.copy;
    const dnnl::memory bound = memory(bridge.wanted, as_given ? o.data : scratch.at(places[i]));
    if (bridge.copy && !o.written) copy(library, bridge, memory(o.desc, o.data), bound);
    arguments[o.argument] = bound;
  }
  plan.primitive.execute(library.stream(), arguments);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Operand& o = operands[i];
    const Bridge& bridge = plan.bridges[i];
    if (!o.written) continue;
    if (is_blocked(i)) {
      copies.written(o, bridge);
      continue;
    }
    if (bridge.copy) copy(library, bridge, arguments[o.argument], memory(o.desc, o.data));
    copies.forget(o.data, o.bytes);
  }
  library.stream().wait();
}

/// "conv2d_forward of [6, 3, 240, 240], [32, 3, 3, 3], stride_h 1, ..."
std::string describe(const Call& call) {
  std::string text = fmt::format("{} of", call.op);
  const char* separator = " ";
  for (const Operand& o : call.operands) {
    text += fmt::format("{}[{}]", separator, fmt::join(o.desc.dims(), ", "));
    separator = ", ";
  }
  for (const auto& [name, value] : call.parameters) text += fmt::format(", {} {}", name, value);
  return text;
}

}  // namespace

void run(KernelContext& context, const Call& call) {
  for (const Operand& o : call.operands)
    if (o.desc.get_size() == 0)
      fail("unsupported: onednn: {}: expected no operand to be empty", describe(call));
  Library& library = library_of(context);
  const ThreadCount threads(context.threads);
  try {
    const Plan& plan =
        library.plan(key_of(context, call), [&] { return make_plan(call, library.engine()); });
    execute(context, library, plan, call.operands);
  } catch (const dnnl::error& error) {
    const bool declined =
        error.status == dnnl_unimplemented || error.status == dnnl_invalid_arguments;
    fail("{}onednn: {}: {} ({})", declined ? "unsupported: " : "", describe(call), error.what(),
         dnnl_status2str(error.status));
  }
}

}  // namespace glia::onednn
