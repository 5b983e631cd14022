#include "benchmarks/suite/case_rows.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "engine/base/check.h"

namespace glia::bench {

namespace {

bool has(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

bool needs_maps(std::string_view operation) {
  return std::any_of(std::begin(kKernels), std::end(kKernels), [&](const KernelInfo& kernel) {
    return operation == kernel.op && kernel.needs_maps;
  });
}

/// Whether a backend lacks what was asked for, and nothing else is wrong.
bool is_unsupported(const Error& error) {
  return std::string_view(error.what()).starts_with("unsupported: ");
}

/// Gathers the rows that a filter lets through.
class Chosen {
 public:
  explicit Chosen(const Filter& filter) : filter_(filter) {}

  void add(const cases::Case& test, const Recording& how) {
    for (Row& row : distinct_rows(record_case(test, how))) {
      kernels_.insert(fmt::format("{} ({})", row.call.kernel, name_of(row.call.phase)));
      if (filter_.lets(row.call)) rows_.push_back(std::move(row));
    }
  }
  /// Throws `Error` when there are none.
  std::vector<Row> take() {
    check(!rows_.empty(),
          "--op, --phase: none is left by '{}' and '{}' of the kernels {}; choose of these, or "
          "leave one of the flags out",
          fmt::join(filter_.ops, ","), fmt::join(filter_.phases, ","), fmt::join(kernels_, ", "));
    return std::move(rows_);
  }

 private:
  const Filter& filter_;
  std::vector<Row> rows_;
  std::set<std::string> kernels_;  // of all rows, with their phases
};

}  // namespace

bool Filter::lets(const Call& call) const {
  return (ops.empty() || has(ops, call.op) || has(ops, call.kernel)) &&
         (phases.empty() || has(phases, name_of(call.phase)));
}

std::string operation_of(std::string_view op) {
  std::vector<std::string_view> operations;
  for (const KernelInfo& kernel : kKernels) {
    if (op == kernel.op || op == kernel.name) return kernel.op;
    if (operations.empty() || operations.back() != kernel.op) operations.push_back(kernel.op);
  }
  fail("--op: found '{}', expected one of {}, or a kernel of them (glia bench --list)", op,
       fmt::join(operations, ", "));
}

std::vector<Row> rows_at(const cases::Dimensions& dimensions, const std::string& text,
                         const Filter& filter, const Recording& how) {
  std::vector<std::string> operations;
  for (const std::string& op : filter.ops)
    if (const std::string name = operation_of(op); !has(operations, name))
      operations.push_back(name);
  Chosen chosen(filter);
  for (const std::string& operation : operations) {
    Recording as = how;
    if (needs_maps(operation)) as.maps = std::max(how.maps, Maps::written);
    try {
      for (const cases::Case& test : cases::at(operation, dimensions)) chosen.add(test, as);
    } catch (const Error& error) {
      fail("--shape {}: {}", text, error.what());
    }
  }
  return chosen.take();
}

CaseRows rows_of_cases(const std::vector<std::string>& names, const Filter& filter,
                       const Recording& how) {
  for (const std::string& op : filter.ops) operation_of(op);
  CaseRows result;
  Chosen chosen(filter);
  bool any = false;
  for (const std::string& name : names)
    for (const cases::Case& test : cases::find(name)) try {
        chosen.add(test, how);
        any = true;
      } catch (const Error& error) {
        const std::string problem = fmt::format("{}: {}", test.name, error.what());
        check(test.name != name && is_unsupported(error),
              "--case {}; choose other cases or another --backend", problem);
        result.left_out.push_back(problem);
      }
  check(any || result.left_out.empty(), "--case {}; choose other cases or another --backend",
        result.left_out.empty() ? "" : result.left_out.front());
  result.rows = chosen.take();
  return result;
}

std::map<std::string, Call> call_of_each_kernel(std::int64_t channels, std::int64_t outputs,
                                                DType activations) {
  const cases::Dimensions small{.shape = {2, 6, 5, channels},
                                .R = 3,
                                .S = 3,
                                .K = outputs,
                                .stride_h = 1,
                                .stride_w = 1,
                                .padding = 1,
                                .groups = 2};
  std::map<std::string, Call> calls;
  for (const cases::Operation& operation : cases::operations()) {
    if (operation.at == nullptr) continue;
    // No backend that reads maps has activations in bf16.
    const Maps maps = activations == DType::f32 ? Maps::read : Maps::written;
    for (const cases::Case& test : cases::at(operation.name, small))
      for (const Call& call : record_case(test, {.maps = maps, .activations = activations}))
        if (call.op == operation.name) calls.try_emplace(call.kernel, call);
  }
  return calls;
}

}  // namespace glia::bench
