#include "engine/data/check_data.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <unordered_map>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/data/group.h"
#include "engine/data/value_scale.h"

namespace glia {

namespace {

/// A sound image, kept until the folder's most common shape is known.
struct ImageShape {
  std::filesystem::path file;
  std::vector<std::int64_t> shape;
};

class Checker {
 public:
  DataReport run(const std::filesystem::path& folder, const std::string& group_by,
                 const std::vector<EarlierRule>& earlier) {
    Pairing pairing = pair_files(folder);
    report_.problems = std::move(pairing.problems);
    look_up_patients(folder, pairing.samples, group_by, earlier);
    for (const Sample& sample : pairing.samples) check_sample(sample);
    check_shapes();
    if (const std::string problem = scales_.problem(); !problem.empty()) warn(folder, problem);
    report_.summary.tumour_share =
        pixels_ == 0 ? 0 : static_cast<double>(tumour_pixels_) / static_cast<double>(pixels_);
    return std::move(report_);
  }

 private:
  void add(const std::filesystem::path& file, std::string text) {
    report_.problems.push_back({file, std::move(text)});
  }

  void warn(const std::filesystem::path& file, std::string text) {
    report_.warnings.push_back({file, std::move(text)});
  }

  void look_up_patients(const std::filesystem::path& folder, const std::vector<Sample>& samples,
                        const std::string& group_by, const std::vector<EarlierRule>& earlier) {
    Patients& patients = report_.patients;
    try {
      patients = find_patients(ids_of(samples), group_by, earlier, folder);
    } catch (const Error& error) {
      if (!group_by.empty() || !earlier.empty()) throw;
      patients.warnings.push_back(error.what());  // of the folder's own table
    }
    for (const std::string& text : patients.warnings) warn(folder, text);
  }

  bool same_patient(const std::string& a, const std::string& b) const {
    const std::string patient = report_.patients.at(a);
    return !patient.empty() && patient == report_.patients.at(b);
  }

  /// The array, or nothing after its problem was recorded.
  std::optional<NpyArray> read(const std::filesystem::path& file) {
    try {
      return read_npy(file);
    } catch (const Error& error) {
      std::string text = error.what();
      const std::string prefix = file.string() + ": ";
      if (text.starts_with(prefix)) text.erase(0, prefix.size());
      add(file, std::move(text));
      return std::nullopt;
    }
  }

  void check_sample(const Sample& sample) {
    std::optional<NpyInfo> image = check_image(sample.image);
    std::optional<NpyInfo> mask;
    if (!sample.mask.empty()) mask = check_mask(sample.mask);
    if (image && mask) {
      const std::string mismatch = size_problem(*image, *mask);
      if (!mismatch.empty()) add(sample.mask, mismatch);
    }
    if (image) check_twin(sample);
  }

  /// What the file holds, when its shape is sound.
  std::optional<NpyInfo> check_image(const std::filesystem::path& file) {
    ++report_.summary.images;
    const std::optional<NpyArray> image = read(file);
    if (!image) return std::nullopt;
    ++report_.summary.image_kinds[image->info.str()];
    const std::vector<std::string> problems = image_problems(*image);
    for (const std::string& text : problems) add(file, text);
    if (image->info.shape.size() != 3 || image->values.empty()) return std::nullopt;
    shapes_.push_back({file, image->info.shape});
    if (problems.empty()) scales_.add(image->values, file);
    if (measure(*image) && problems.empty())
      warn(file, "every pixel of a channel has the same value; was it exported right?");
    if (problems.empty()) check_magnitude(*image, file);
    return image->info;
  }

  /// A network's sums of squares go beyond float32 from values of about 1e19; what is larger than
  /// any scanner's numbers is doubtful long before.
  void check_magnitude(const NpyArray& image, const std::filesystem::path& file) {
    constexpr float kHuge = 1e9F;
    float most = 0;
    for (const float value : image.values) most = std::max(most, std::abs(value));
    if (most > kHuge)
      warn(file, fmt::format("values up to {:.3g} may overflow inside a network; train with "
                             "--normalize slice, or import the slices again with smaller values",
                             most));
  }

  /// Widens the channels' ranges; whether a channel is constant.
  bool measure(const NpyArray& image) {
    const auto channels = static_cast<std::size_t>(image.info.shape[2]);
    const float infinity = std::numeric_limits<float>::infinity();
    std::vector<ValueRange> ranges(channels, {infinity, -infinity});
    for (std::size_t i = 0; i < image.values.size(); i += channels)
      for (std::size_t c = 0; c < channels; ++c) {
        const float value = image.values[i + c];
        if (!std::isfinite(value)) continue;
        ranges[c].low = std::min(ranges[c].low, value);
        ranges[c].high = std::max(ranges[c].high, value);
      }
    std::vector<ValueRange>& all = report_.summary.channels;
    for (std::size_t c = 0; c < channels; ++c) {
      if (c == all.size()) all.push_back(ranges[c]);
      all[c] = {std::min(all[c].low, ranges[c].low), std::max(all[c].high, ranges[c].high)};
    }
    return std::any_of(ranges.begin(), ranges.end(),
                       [](const ValueRange& range) { return range.low == range.high; });
  }

  std::optional<NpyInfo> check_mask(const std::filesystem::path& file) {
    ++report_.summary.masks;
    const std::optional<NpyArray> mask = read(file);
    if (!mask) return std::nullopt;
    ++report_.summary.mask_kinds[mask->info.str()];
    const std::vector<std::string> problems = mask_problems(*mask);
    for (const std::string& text : problems) add(file, text);
    if (mask->info.shape.size() < 2 || mask->values.empty()) return std::nullopt;
    if (!problems.empty()) return mask->info;
    const auto tumour = std::count_if(mask->values.begin(), mask->values.end(),
                                      [](float value) { return value != 0; });
    if (tumour == 0) ++report_.summary.without_tumour;
    if (2 * tumour > mask->info.numel())
      warn(file, fmt::format("{} of {} pixels are tumour; are background and tumour exchanged "
                             "(white-is-zero)?",
                             tumour, mask->info.numel()));
    tumour_pixels_ += tumour;
    pixels_ += mask->info.numel();
    return mask->info;
  }

  /// Compares with the images before. Masks are not searched: empty ones are all alike.
  void check_twin(const Sample& sample) {
    const auto [entry, is_new] = by_hash_.try_emplace(hash_file(sample.image), sample);
    if (is_new) return;
    const Sample& twin = entry->second;
    const bool same_mask = !sample.mask.empty() && !twin.mask.empty() &&
                           hash_file(sample.mask) == hash_file(twin.mask);
    const std::string text =
        fmt::format("byte-identical to {}, {}", twin.image.string(),
                    same_mask ? "and so is the mask" : "but the mask is another file or missing");
    if (same_mask && same_patient(sample.id, twin.id))
      warn(sample.image, text + "; both are of one patient, so no split parts them");
    else
      add(sample.image,
          text + (same_mask && !report_.patients.known()
                      ? "; remove one of them, or say by --group-by that both are of one patient"
                      : "; remove one of them"));
  }

  void check_shapes() {
    std::map<std::vector<std::int64_t>, std::int64_t> counts;
    for (const ImageShape& image : shapes_) ++counts[image.shape];
    const auto common = std::max_element(counts.begin(), counts.end(),
                                         [](auto& a, auto& b) { return a.second < b.second; });
    for (const ImageShape& image : shapes_)
      if (image.shape != common->first)
        add(image.file,
            fmt::format("the shape [{}] differs from the [{}] of {} other images; training needs "
                        "one shape: crop or pad it",
                        fmt::join(image.shape, ", "), fmt::join(common->first, ", "),
                        common->second));
  }

  DataReport report_;
  std::vector<ImageShape> shapes_;
  ValueScales scales_;
  std::unordered_map<std::string, Sample> by_hash_;
  std::int64_t tumour_pixels_ = 0, pixels_ = 0;
};

}  // namespace

DataReport check_data(const std::filesystem::path& folder, const std::string& group_by,
                      const std::vector<EarlierRule>& earlier) {
  return Checker().run(folder, group_by, earlier);
}

}  // namespace glia
