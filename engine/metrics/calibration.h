// Whether probabilities mean what they say: of the pixels called tumour with probability 0.7, are
// 70 % tumour?
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace glia {

/// Pixels by predicted probability, in ten bins of equal width.
class Calibration {
 public:
  static constexpr int kBins = 10;

  struct Bin {
    std::int64_t pixels = 0, tumour = 0;
    double probability = 0;  // sum over the pixels

    /// Undefined without pixels.
    std::optional<double> mean_probability() const;
    std::optional<double> tumour_share() const;
  };

  /// Adds the pixels of a slice; a truth above 0.5 is tumour. A probability beyond 0 to 1 counts as
  /// the nearer end, NaN as 0. Throws `Error` when the sizes differ.
  void add(std::span<const float> probability, std::span<const float> truth);

  /// Bin b holds the probabilities from b / 10 to below (b + 1) / 10; the last one 1.0 too.
  const std::array<Bin, kBins>& bins() const { return bins_; }

  /// Expected calibration error: |tumour share - mean probability|, averaged over all pixels (Guo
  /// et al., "On calibration of modern neural networks", ICML 2017). Trivially low where tumours
  /// are small, since nearly all pixels lie in the lowest bin.
  std::optional<double> expected_error() const { return expected_error(0); }
  /// The same over the pixels outside the lowest bin. Undefined without such pixels.
  std::optional<double> expected_error_above_lowest() const { return expected_error(1); }
  /// Mean of (p - t)^2 over all pixels (Brier, 1950).
  std::optional<double> brier() const;

 private:
  std::optional<double> expected_error(int first_bin) const;

  std::array<Bin, kBins> bins_{};
  double squares_ = 0;
};

}  // namespace glia
