#include "engine/runtime/modes.h"

#include <fmt/ranges.h>

#include <span>
#include <utility>

#include "engine/base/check.h"

namespace glia {

namespace {

constexpr std::pair<ConvMethod, const char*> kConvNames[] = {
    {ConvMethod::automatic, "auto"},    {ConvMethod::direct, "direct"},
    {ConvMethod::winograd, "winograd"}, {ConvMethod::naive, "naive"},
    {ConvMethod::tiled, "tiled"},       {ConvMethod::mma, "mma"},
    {ConvMethod::halo, "halo"}};
constexpr std::pair<MemoryMode, const char*> kMemoryNames[] = {
    {MemoryMode::automatic, "auto"}, {MemoryMode::fast, "fast"}, {MemoryMode::lean, "lean"}};
constexpr std::pair<Fuse, const char*> kFuseNames[] = {{Fuse::automatic, "auto"},
                                                       {Fuse::none, "none"},
                                                       {Fuse::s1, "s1"},
                                                       {Fuse::s2, "s2"},
                                                       {Fuse::s3, "s3"}};
constexpr std::pair<std::optional<ConvPrecision>, const char*> kPrecisionChoices[] = {
    {std::nullopt, "auto"},
    {ConvPrecision::fp32, "fp32"},
    {ConvPrecision::tf32, "tf32"},
    {ConvPrecision::bf16, "bf16"}};
constexpr std::span kPrecisionNames = std::span(kPrecisionChoices).subspan<1>();  // without auto

template <class Names>
std::vector<std::string> names_of(const Names& table) {
  std::vector<std::string> names;
  for (const auto& [value, name] : table) names.emplace_back(name);
  return names;
}

template <class Names>
auto parse(const char* flag, std::string_view text, const Names& table) {
  for (const auto& [value, name] : table)
    if (text == name) return value;
  fail("{}: found '{}', expected {}", flag, text, fmt::join(names_of(table), ", "));
}

template <class Names, class Value>
const char* look_up(Value wanted, const Names& table) {
  for (const auto& [value, name] : table)
    if (value == wanted) return name;
  return "";
}

}  // namespace

std::vector<std::string> conv_names() {
  return names_of(kConvNames);
}
ConvMethod parse_conv(std::string_view text) {
  return parse("--conv", text, kConvNames);
}
const char* name_of(ConvMethod method) {
  return look_up(method, kConvNames);
}

std::vector<std::string> memory_names() {
  return names_of(kMemoryNames);
}
MemoryMode parse_memory(std::string_view text) {
  return parse("--memory", text, kMemoryNames);
}
const char* name_of(MemoryMode mode) {
  return look_up(mode, kMemoryNames);
}

std::vector<std::string> fuse_names() {
  return names_of(kFuseNames);
}
Fuse parse_fuse(std::string_view text) {
  return parse("--fuse", text, kFuseNames);
}
const char* name_of(Fuse fuse) {
  return look_up(fuse, kFuseNames);
}

ConvPrecision parse_precision(std::string_view text) {
  return *parse("--precision", text, kPrecisionNames);
}
const char* name_of(ConvPrecision precision) {
  return name_of(std::optional(precision));
}

std::vector<std::string> precision_choices() {
  return names_of(kPrecisionChoices);
}
std::optional<ConvPrecision> parse_precision_choice(std::string_view text) {
  return parse("--precision", text, kPrecisionChoices);
}
const char* name_of(std::optional<ConvPrecision> choice) {
  return look_up(choice, kPrecisionChoices);
}

}  // namespace glia
