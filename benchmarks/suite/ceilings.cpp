#include "benchmarks/suite/ceilings.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "benchmarks/suite/statistics.h"
#include "benchmarks/suite/stopwatch.h"
#include "engine/base/rng.h"
#include "engine/runtime/gpu_backends.h"
#include "engine/runtime/run.h"
#include "engine/tensor/tensor.h"

namespace glia::bench {

namespace {

constexpr std::size_t kGpuCopy = std::size_t{1} << 30, kEmulatorCopy = std::size_t{1} << 20;
constexpr int kMostRounds = 1 << 28;
constexpr Arithmetic kArithmetic[] = {Arithmetic::fp32, Arithmetic::tf32, Arithmetic::bf16};

/// Random values between -1 and 1, again and again where more are asked for. Random, because zeros
/// run faster on some machines.
class Pattern {
 public:
  /// `bf16`: rounded towards zero to what that can hold.
  explicit Pattern(bool bf16 = false) : bf16_(bf16) {
    for (std::size_t i = 0; i < kValues; i += 4)
      for (const std::uint32_t word : philox(1, 2, i / 4)) {
        const auto value = static_cast<float>((word >> 8) * 0x1p-23 - 1);
        const auto bits = std::bit_cast<std::uint32_t>(value);
        values_.push_back(bf16 ? std::bit_cast<float>(bits & 0xFFFF0000u) : value);
        halves_.push_back(static_cast<std::uint16_t>(bits >> 16));
      }
  }

  float operator[](std::size_t index) const { return values_[index % kValues]; }
  /// Fills a block of so many bytes, two an element for bf16.
  void write(Device& device, const Tensor& block, std::size_t bytes) const {
    const auto* source = bf16_ ? static_cast<const void*>(halves_.data()) : values_.data();
    const std::size_t period = kValues * (bf16_ ? sizeof(std::uint16_t) : sizeof(float));
    auto* to = static_cast<std::byte*>(block.view().data);
    for (std::size_t done = 0; done < bytes; done += period)
      device.allocator().copy_in(to + done, source, std::min(period, bytes - done));
  }

 private:
  static constexpr std::size_t kValues = std::size_t{1} << 20;
  bool bf16_;
  std::vector<float> values_;
  std::vector<std::uint16_t> halves_;
};

/// Element `index` of a block of T.
template <class T>
T read(Device& device, const Tensor& block, std::size_t index) {
  T value;
  device.allocator().copy_out(&value, static_cast<const T*>(block.view().data) + index, sizeof(T));
  return value;
}

/// A device, what it shall show, and where that is written down.
class Measuring {
 public:
  Measuring(Device& device, const CeilingOptions& options, std::vector<Ceiling>& ceilings)
      : device_(device), options_(options), ceilings_(ceilings), stopwatch_(device) {}

  /// Writes down the rates that `find(ceiling)` returns, or the error that it throws; nothing where
  /// there is such a ceiling already.
  template <class Find>
  void ceiling(const char* what, const std::string& by, const Find& find) {
    for (const Ceiling& c : ceilings_)
      if (c.device == device_.name() && c.what == what && c.by == by) return;
    Ceiling found{.device = device_.name(), .what = what, .by = by};
    try {
      const std::vector<double> rates = find();
      found.best = *std::max_element(rates.begin(), rates.end());
      found.median = summarize(rates).median;
    } catch (const Error& error) {
      found.problem = error.what();
    }
    ceilings_.push_back(std::move(found));
  }

  /// The rates of runs of `work`, which queues something and returns how much that is. Each follows
  /// another run, so that what is set up once and the way to the device are not in it.
  template <class Work>
  std::vector<double> rates_of(const Work& work) {
    std::vector<double> rates;
    for (int sample = 0; sample < options_.samples; ++sample) {
      work();
      stopwatch_.start_in_queue();
      const double done = work();
      rates.push_back(done / stopwatch_.stop());
    }
    return rates;
  }

  std::vector<double> copies(const std::function<void(const Tensor& to, const Tensor& from)>& copy);
  std::vector<double> chains(const PeakWork& work, Arithmetic arithmetic);
  std::vector<double> products(const PeakWork& work, Arithmetic arithmetic);

 private:
  Device& device_;
  const CeilingOptions& options_;
  std::vector<Ceiling>& ceilings_;
  Stopwatch stopwatch_;
};

std::vector<double> Measuring::copies(
    const std::function<void(const Tensor& to, const Tensor& from)>& copy) {
  const std::size_t values = options_.copy_bytes / sizeof(float), bytes = values * sizeof(float);
  const Shape shape{static_cast<std::int64_t>(values)};
  Tensor from, to;
  try {
    from = Tensor::empty(device_, shape);
    to = Tensor::empty(device_, shape);
  } catch (const OutOfMemory& error) {
    fail("{}; choose a smaller --copy-mib", error.what());
  }
  const Pattern pattern;
  pattern.write(device_, from, bytes);
  device_.allocator().fill(to.view().data, 0xFF, bytes);
  const auto rates = rates_of([&] {
    copy(to, from);
    return 2 * static_cast<double>(bytes);
  });
  for (const std::size_t at : {std::size_t{0}, values / 2, values - 1})
    check(read<float>(device_, to, at) == pattern[at], "the copy is not what was copied");
  return rates;
}

/// Throws `Error` where the multiply-adds did not leave what they must: in all results or, where
/// `few`, in the first and the last of every multiprocessor.
void check_chains(const PeakWork& work, Arithmetic arithmetic, int rounds,
                  const std::vector<float>& results, bool few) {
  const auto count = static_cast<std::size_t>(work.results);
  for (std::size_t i = 0; i < count; i += few ? count - 1 : 1) {
    const ExpectedResult expected = work.expected(arithmetic, rounds, static_cast<std::int64_t>(i));
    for (std::size_t at = i; at < results.size(); at += count)
      check(std::abs(static_cast<double>(results[at]) - expected.value) <= expected.bound,
            "{} rounds of multiply-adds gave {}, expected {} within {}", rounds, results[at],
            expected.value, expected.bound);
  }
}

std::vector<double> Measuring::chains(const PeakWork& work, Arithmetic arithmetic) {
  KernelContext& context = device_.context();
  const std::int64_t count = std::int64_t{work.results} * context.multiprocessors;
  const Tensor results = Tensor::empty(device_, {count});
  device_.allocator().fill(results.view().data, 0xFF, static_cast<std::size_t>(count) * 4);
  const auto run_rounds = [&](int rounds) {
    device_.allocator().make_current();
    return work.multiply_adds(context, arithmetic, rounds, results.view().as<float>());
  };
  int rounds = 1;
  run_rounds(rounds);
  check_chains(work, arithmetic, rounds, results.to_vector<float>(), false);
  for (; rounds < kMostRounds; rounds *= 2) {
    stopwatch_.start_in_queue();
    run_rounds(rounds);
    if (stopwatch_.stop() >= options_.sample_seconds) break;
  }
  const auto rates = rates_of([&] { return run_rounds(rounds); });
  check_chains(work, arithmetic, rounds, results.to_vector<float>(), true);
  return rates;
}

std::vector<double> Measuring::products(const PeakWork& work, Arithmetic arithmetic) {
  const bool bf16 = arithmetic == Arithmetic::bf16;
  const auto n = static_cast<std::size_t>(options_.product_extent);
  const std::size_t bytes = n * n * (bf16 ? sizeof(std::uint16_t) : sizeof(float));
  const auto block = [&] {
    return Tensor::empty(device_, {static_cast<std::int64_t>(bytes)}, DType::u8);
  };
  const Tensor a = block(), b = block(), c = block();
  const Pattern pattern(bf16);
  pattern.write(device_, a, bytes);
  pattern.write(device_, b, bytes);
  device_.allocator().fill(c.view().data, 0xFF, bytes);
  const auto rates = rates_of([&] {
    device_.allocator().make_current();
    work.product(device_.context(), arithmetic, options_.product_extent, a.view().data,
                 b.view().data, c.view().data);
    device_.context().workspace.finish_call();
    return 2 * std::pow(static_cast<double>(n), 3);
  });
  for (const auto& [row, column] : {std::pair{std::size_t{0}, std::size_t{0}},
                                    {std::size_t{1}, n / 2},
                                    {n / 3, n / 5},
                                    {n - 1, n - 1}}) {
    double expected = 0, magnitudes = 0;
    for (std::size_t k = 0; k < n; ++k) {
      const double term = static_cast<double>(pattern[row * n + k]) * pattern[k * n + column];
      expected += term;
      magnitudes += std::abs(term);
    }
    const std::size_t at = row * n + column;
    const float found =
        bf16 ? std::bit_cast<float>(std::uint32_t{read<std::uint16_t>(device_, c, at)} << 16)
             : read<float>(device_, c, at);
    // Operands in tf32 and the sum in fp32 take 2^-9 of the terms at most, the result in bf16 2^-8.
    const double bound = 0x1p-9 * magnitudes + 0x1p-8 * std::abs(expected);
    check(std::abs(found - expected) <= bound, "the product of {0}x{0} gave {1}, expected {2}", n,
          found, expected);
  }
  return rates;
}

}  // namespace

void measure_ceilings(Device& device, const CeilingOptions& options, const PeakWork& work,
                      std::vector<Ceiling>& ceilings) {
  Measuring measuring(device, options, ceilings);
  measuring.ceiling(kCopy, "our kernel", [&] {
    return measuring.copies([&](const Tensor& to, const Tensor& from) {
      run<&KernelTable::scale>(device, {.x = from, .y = to});
    });
  });
  measuring.ceiling(kCopy, "the driver", [&] {
    return measuring.copies([&](const Tensor& to, const Tensor& from) {
      device.allocator().make_current();
      work.copy(device.context(), to.view().data, from.view().data,
                static_cast<std::size_t>(to.numel()) * sizeof(float));
    });
  });
  for (const Arithmetic arithmetic : kArithmetic) {
    measuring.ceiling(name_of(arithmetic), work.instruction(arithmetic),
                      [&] { return measuring.chains(work, arithmetic); });
    if (work.product != nullptr)
      measuring.ceiling(
          name_of(arithmetic),
          fmt::format("{}, {}x{}", work.product_by, options.product_extent, options.product_extent),
          [&] { return measuring.products(work, arithmetic); });
  }
}

CeilingOptions ceiling_options(Device& device, std::size_t flush_bytes, std::size_t copy_bytes) {
  CeilingOptions options;
  options.copy_bytes = device.allocator().on_host() ? flush_bytes : kGpuCopy;
  if (device.kernels().name == std::string_view("emu"))
    options = {.copy_bytes = kEmulatorCopy, .samples = 2, .sample_seconds = 0};
  if (copy_bytes > 0) options.copy_bytes = copy_bytes;
  return options;
}

void measure_ceilings(Device& device, const CeilingOptions& options,
                      std::vector<Ceiling>& ceilings) {
  if (!device.allocator().on_host()) {
    const GpuBackend* backend = find_gpu_backend(device.kernels().name);
    check(backend != nullptr, "ceilings: the backend '{}' is none of a GPU", device.kernels().name);
    return measure_ceilings(device, options, *backend->peaks, ceilings);
  }
  Measuring measuring(device, options, ceilings);
  const int threads = device.context().threads;
  measuring.ceiling(kCopy, "memcpy", [&] { return cpu_bandwidth(threads, options.copy_bytes); });
  measuring.ceiling(name_of(Arithmetic::fp32), "multiply-adds in registers",
                    [&] { return cpu_flops(threads); });
}

}  // namespace glia::bench
