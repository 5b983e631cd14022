#include "apps/flags/shape_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "engine/base/check.h"

namespace glia {

namespace {

using cases::Dimension;

constexpr std::int64_t kLargestExtent = std::int64_t{1} << 31;  // of an image or a vector
constexpr std::int64_t kMostElements = std::int64_t{1} << 40;
constexpr std::int64_t kLargestWindow = 4096;  // or stride, padding, output channels

/// A flag, and how it is written in a line of usage.
struct Flag {
  Dimension dimension;
  const char *name, *usage;
};
constexpr Flag kFlags[] = {{Dimension::kernel, "--kernel", "--kernel RxSxK"},
                           {Dimension::stride, "--stride", "[--stride S]"},
                           {Dimension::padding, "--padding", "[--padding P]"},
                           {Dimension::window, "--window", "[--window W]"},
                           {Dimension::factor, "--factor", "[--factor F]"},
                           {Dimension::groups, "--groups", "[--groups G]"}};

const char* name_of(Dimension dimension) {
  return std::find_if(std::begin(kFlags), std::end(kFlags),
                      [&](const Flag& flag) { return flag.dimension == dimension; })
      ->name;
}

bool takes(const cases::Operation& operation, Dimension dimension) {
  return std::find(operation.takes.begin(), operation.takes.end(), dimension) !=
         operation.takes.end();
}

/// The numbers of "6x240x240x1", each from `least` to `most`; nothing where they are not that, or
/// not as many as `counts` allows.
std::vector<std::int64_t> numbers_of(std::string_view text, std::initializer_list<int> counts,
                                     std::int64_t least, std::int64_t most) {
  std::vector<std::int64_t> numbers;
  const char *next = text.data(), *const end = text.data() + text.size();
  for (;;) {
    std::int64_t number = 0;
    const auto [after, error] = std::from_chars(next, end, number);
    if (error != std::errc() || number < least || number > most) return {};
    numbers.push_back(number);
    if (after == end) break;
    if (*after != 'x') return {};
    next = after + 1;
  }
  const bool fits =
      std::find(counts.begin(), counts.end(), static_cast<int>(numbers.size())) != counts.end();
  return fits ? numbers : std::vector<std::int64_t>();
}

Shape parse_shape(const std::string& text) {
  const auto n = numbers_of(text, {1, 2, 3, 4}, 1, kLargestExtent);
  double elements = 1;
  for (const std::int64_t extent : n) elements *= static_cast<double>(extent);
  check(!n.empty() && elements <= static_cast<double>(kMostElements),
        "--shape: found '{}', expected the extents of the input, each 1 to {}, NxHxWxC such as "
        "6x240x240x32, or fewer for operations that go element by element; 2^40 elements at most",
        text, kLargestExtent);
  switch (n.size()) {
    case 1: return {n[0]};
    case 2: return {n[0], n[1]};
    case 3: return {n[0], n[1], n[2]};
    default: return {n[0], n[1], n[2], n[3]};
  }
}

}  // namespace

void ShapeOptions::add_to(CLI::App& command) {
  given_ = command.add_option(
      "--shape", shape_,
      "Time the operations of --op at this shape of their input and not those of a "
      "training step: NxHxWxC, or the number of elements for what goes element by "
      "element and for optimizers");
  const auto add = [&](Dimension dimension, CLI::Option* option) {
    options_.emplace_back(dimension, option);
  };
  add(Dimension::kernel, command.add_option("--kernel", kernel_,
                                            "With --shape, of a convolution: RxSxK, its window and "
                                            "its output channels, such as 3x3x48"));
  add(Dimension::stride,
      command.add_option("--stride", stride_,
                         "With --shape, of a convolution or max_pool2d: S, or rows x columns such "
                         "as 2x1. Default 1, of max_pool2d its window"));
  add(Dimension::padding,
      command
          .add_option("--padding", padding_,
                      "With --shape, of a convolution: pixels at each border, or same, which keeps "
                      "height and width at stride 1")
          ->capture_default_str());
  add(Dimension::window,
      command.add_option("--window", numbers_.window, "With --shape, of max_pool2d: its window")
          ->check(CLI::Range(1, 16))
          ->capture_default_str());
  add(Dimension::factor,
      command
          .add_option("--factor", numbers_.factor,
                      "With --shape, of upsample_nearest2d: how many times higher "
                      "and wider")
          ->check(CLI::Range(1, 64))
          ->capture_default_str());
  add(Dimension::groups, command
                             .add_option("--groups", numbers_.groups,
                                         "With --shape, of group_norm: groups of channels")
                             ->check(CLI::Range(std::int64_t{1}, kLargestExtent))
                             ->capture_default_str());
}

bool ShapeOptions::given() const {
  for (const auto& [dimension, option] : options_)
    check(given_->count() > 0 || option->count() == 0,
          "{} needs a --shape, such as --shape 6x240x240x32", name_of(dimension));
  return given_->count() > 0;
}

cases::Dimensions ShapeOptions::parse(const std::vector<std::string>& operations) const {
  for (const auto& [dimension, option] : options_) {
    if (option->count() == 0) continue;
    std::vector<std::string> takers;
    bool taken = false;
    for (const cases::Operation& operation : cases::operations()) {
      if (!takes(operation, dimension)) continue;
      takers.emplace_back(operation.name);
      taken = taken ||
              std::find(operations.begin(), operations.end(), operation.name) != operations.end();
    }
    check(taken, "{} is for {}, and --op has {}; leave it out", name_of(dimension),
          fmt::join(takers, ", "), fmt::join(operations, ", "));
  }
  cases::Dimensions d = numbers_;
  d.shape = parse_shape(shape_);
  if (!kernel_.empty()) {
    const auto n = numbers_of(kernel_, {3}, 1, kLargestWindow);
    check(!n.empty(),
          "--kernel: found '{}', expected RxSxK, rows and columns of the window and output "
          "channels, such as 3x3x48, each 1 to {}",
          kernel_, kLargestWindow);
    d.R = n[0];
    d.S = n[1];
    d.K = n[2];
  }
  if (!stride_.empty()) {
    const auto n = numbers_of(stride_, {1, 2}, 1, kLargestWindow);
    check(!n.empty(),
          "--stride: found '{}', expected a number such as 2, or rows x columns such as "
          "2x1, each 1 to {}",
          stride_, kLargestWindow);
    d.stride_h = n.front();
    d.stride_w = n.back();
  }
  d.same = padding_ == "same";
  if (!d.same) {
    const auto n = numbers_of(padding_, {1}, 0, kLargestWindow);
    check(!n.empty(), "--padding: found '{}', expected same, or 0 to {} pixels", padding_,
          kLargestWindow);
    d.padding = n[0];
  }
  return d;
}

std::string ShapeOptions::text() const {
  std::string text = shape_;
  for (const auto& [dimension, option] : options_)
    if (option->count() > 0)
      text += fmt::format(" {} {}", name_of(dimension), fmt::join(option->results(), " "));
  return text;
}

std::string shape_flags(const cases::Operation& operation) {
  if (operation.at == nullptr) return "";
  std::string text = operation.image ? "--shape NxHxWxC" : "--shape NxHxWxC|COUNT";
  for (const Flag& flag : kFlags)
    if (takes(operation, flag.dimension)) text += fmt::format(" {}", flag.usage);
  return text;
}

}  // namespace glia
