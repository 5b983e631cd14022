// Rows of operations at any shape and of the cases of the tests, as filters choose them.
#pragma once

#include <map>

#include "benchmarks/cases/cases.h"
#include "benchmarks/suite/record.h"

namespace glia::bench {

/// What --op and --phase let through; an empty list lets everything through.
struct Filter {
  std::vector<std::string> ops, phases;  // operations or single kernels; "forward", ...

  bool lets(const Call& call) const;
};

/// The operation of kernels/api/list.h that an --op names, itself or by one of its kernels. Throws
/// `Error` listing them.
std::string operation_of(std::string_view op);

/// The operations of the filter, which must have some, at one shape; `text` is that shape as the
/// user gave it. Of other operations that they run beside there are no rows. Those that only
/// backends with maps have are recorded as on these. Throws `Error` when the shape does not fit or
/// nothing is left.
std::vector<Row> rows_at(const cases::Dimensions& dimensions, const std::string& text,
                         const Filter& filter, const Recording& how);

struct CaseRows {
  std::vector<Row> rows;
  std::vector<std::string>
      left_out;  // cases of a group that `how` lacks what they need for, and why
};

/// Everything that the cases of these names run; see `cases::find`. Throws `Error` when there is no
/// such case, when `how` lacks what one that is named by itself needs, or when nothing is left.
CaseRows rows_of_cases(const std::vector<std::string>& names, const Filter& filter,
                       const Recording& how);

/// The first call of each kernel, by its name, of all operations at a small shape.
std::map<std::string, Call> call_of_each_kernel(std::int64_t channels = 6, std::int64_t outputs = 4,
                                                DType activations = DType::f32);

}  // namespace glia::bench
