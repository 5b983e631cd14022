#include "benchmarks/cases/cases.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "engine/base/check.h"

namespace glia::cases {

namespace {

/// One operation for each kernel of the list, so that those with several come several times.
using Make = Operation (*)();
constexpr Make kOfKernels[] = {
#define GLIA_KERNEL(name, Args, op, phase) op##_operation,
#include "kernels/api/list.h"
};

std::vector<Operation> all_operations() {
  std::vector<Make> makes;
  for (const Make make : kOfKernels)
    if (std::find(makes.begin(), makes.end(), make) == makes.end()) makes.push_back(make);
  for (const Make make : {concat_operation, mean_operation, tape_operation}) makes.push_back(make);
  std::vector<Operation> all;
  for (const Make make : makes) all.push_back(make());
  return all;
}

std::string group_name(const Operation& operation, const Group& group) {
  return fmt::format("{}.{}", operation.name, group.name);
}

/// Whether `name` is `part` or begins with it and a dot.
bool lies_in(std::string_view name, std::string_view part) {
  return name.starts_with(part) && (name.size() == part.size() || name[part.size()] == '.');
}

/// What could have been meant: the groups of the same operation, with their numbers, or all
/// operations.
std::vector<std::string> choices_near(std::string_view name) {
  const std::string_view operation = name.substr(0, name.find('.'));
  std::vector<std::string> near, names;
  for (const Operation& candidate : operations()) {
    if (!candidate.groups.empty()) names.emplace_back(candidate.name);
    for (const Group& group : candidate.groups)
      if (candidate.name == operation)
        near.push_back(
            fmt::format("{}[.1 to .{}]", group_name(candidate, group), group.make().size()));
  }
  return near.empty() ? names : near;
}

}  // namespace

std::span<const Operation> operations() {
  static const std::vector<Operation> kOperations = all_operations();
  return kOperations;
}

std::vector<Case> find(std::string_view name) {
  std::vector<Case> found;
  for (const Operation& operation : operations())
    for (const Group& group : operation.groups) {
      const std::string group_is = group_name(operation, group);
      if (!lies_in(group_is, name) && !lies_in(name, group_is)) continue;
      std::vector<Case> cases = group.make();
      for (std::size_t i = 0; i < cases.size(); ++i) {
        cases[i].name = fmt::format("{}.{}", group_is, i + 1);
        if (lies_in(cases[i].name, name)) found.push_back(std::move(cases[i]));
      }
    }
  check(!found.empty(), "case: found no '{}', expected a case, its group or its operation: {}",
        name, fmt::join(choices_near(name), ", "));
  return found;
}

std::vector<Case> at(std::string_view operation, const Dimensions& dimensions) {
  for (const Operation& candidate : operations()) {
    if (candidate.name != operation || candidate.at == nullptr) continue;
    check(!candidate.image || dimensions.shape.rank() == 4,
          "{}: found the shape {}, expected four extents N x H x W x C, such as 6x240x240x32",
          operation, text_of(dimensions.shape));
    std::vector<Case> cases = candidate.at(dimensions);
    for (Case& test : cases)
      test.name =
          test.name.empty() ? std::string(operation) : fmt::format("{}.{}", operation, test.name);
    return cases;
  }
  fail("case: found no operation '{}'", operation);
}

std::string text_of(const Shape& shape) {
  std::string text;
  for (int i = 0; i < shape.rank(); ++i) text += fmt::format("{}{}", i > 0 ? "x" : "", shape[i]);
  return text;
}

}  // namespace glia::cases
