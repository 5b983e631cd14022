// Known mistakes in backward passes, planted at run time: the entry of a backend's table is
// wrapped, the kernels stay as they are. For glia gradcheck --break, and for tests of the checks
// themselves.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "kernels/api/table.h"

namespace glia::test {

struct Mistake {
  const char* name;  // "stride-forgotten"
  const char* ops;   // that show it: "conv2d conv_transpose2d"
  const char* text;  // what is wrong, in a line
  void (*plant)(KernelTable&);
};

std::span<const Mistake> mistakes();
/// Throws `Error` listing all where there is no such one.
const Mistake& find_mistake(std::string_view name);
/// Whether the operation shows it.
bool shows(const Mistake& mistake, std::string_view op);

/// A backend's kernels with one mistake, while this lives; one at a time.
class Planted {
 public:
  /// `kernels` must outlive this.
  Planted(const Mistake& mistake, const KernelTable& kernels);
  ~Planted();
  Planted(const Planted&) = delete;
  Planted& operator=(const Planted&) = delete;

  const KernelTable& kernels() const { return table_; }
  /// How often it made a difference to what a kernel was asked for.
  std::int64_t runs() const;

 private:
  KernelTable table_;
};

}  // namespace glia::test
