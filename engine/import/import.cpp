#include "engine/import/import.h"

#include <fmt/ranges.h>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/staging.h"
#include "engine/base/text.h"
#include "engine/data/group.h"
#include "engine/data/value_scale.h"
#include "engine/formats/nifti.h"
#include "engine/formats/npy.h"
#include "engine/import/import_tables.h"
#include "engine/import/likeness.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

constexpr bool kNoFlush = false;  // the whole folder is flushed once

/// 12 of "p1_012"; 0 where a name ends in no digit or in more than a number holds.
std::int64_t number_at_end(const std::string& name) {
  const std::size_t before = name.find_last_not_of("0123456789");
  const char* begin = name.data() + (before == std::string::npos ? 0 : before + 1);
  std::int64_t number = 0;
  const auto [_, error] = std::from_chars(begin, name.data() + name.size(), number);
  return error == std::errc() ? number : 0;
}

/// Whether a folder is named as the parts of a split are, in which patients of their own may lie.
bool names_a_part(std::string name) {
  constexpr std::string_view kParts[] = {"train", "training",   "val",  "valid",
                                         "dev",   "validation", "test", "testing"};
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return std::find(std::begin(kParts), std::end(kParts), name) != std::end(kParts);
}

/// The patient of every case, by id.
std::map<std::string, std::string> find_patients(const std::vector<ImportCase>& cases,
                                                 const std::string& rule) {
  std::map<std::string, std::string> patients;
  std::vector<std::string> ids, homeless, in_parts;
  for (const ImportCase& one : cases) {
    const bool by_case = rule == "case" || (rule == "auto" && is_nifti_name(one.images[0]));
    if (by_case) {
      patients[one.id] = one.id;
    } else if (rule == "auto" || rule == "folder") {
      patients[one.id] = one.folder;
      if (one.folder.empty()) homeless.push_back(one.images[0].string());
      if (rule == "auto" && names_a_part(one.folder)) in_parts.push_back(one.images[0].string());
    } else {
      ids.push_back(one.id);
    }
  }
  check(homeless.empty(),
        "--group-by {}: {} images lie in no folder of their own that could be their patient's, for "
        "example {}; pass regex:EXPRESSION, csv:FILE or id/N, or case if no two are of one patient",
        rule, homeless.size(), homeless.empty() ? "" : homeless[0]);
  check(
      in_parts.empty(),
      "--group-by auto: {} images lie in folders that are named as parts of a split, which are no "
      "patients, for example {}; pass regex:EXPRESSION, csv:FILE or id/N, case if no two are of "
      "one patient, or folder if each folder is a patient after all",
      in_parts.size(), in_parts.empty() ? "" : in_parts[0]);
  if (!ids.empty()) patients = assign_groups(ids, rule);
  return patients;
}

std::string size_text(Size size) {
  return fmt::format("{} x {}", size.height, size.width);
}

constexpr const char* kUnusable = "files that cannot be used";

class Importer {
 public:
  explicit Importer(const ImportConfig& config)
      : config_(config),
        is_json_(config.data.extension() == ".json"),
        root_(is_json_ ? config.data.parent_path() / "." : config.data),
        out_(without_slash(config.out)),
        found_(is_json_ ? read_dataset_json(config.data, config.allow_outside)
                        : find_cases(config.data, config.names)),
        values_(config.mask, found_.labels) {
    check_out();
    summary_.unused = found_.unused;
    summary_.foreign = found_.foreign;
  }

  ImportSummary run(const std::function<void(std::int64_t, std::int64_t)>& on_case) {
    if (found_.cases.empty()) fail_with_problems();
    patient_of_ = find_patients(found_.cases, config_.group_by);
    Staging staging(out_);
    const auto total = std::ssize(found_.cases);
    for (const ImportCase& one : found_.cases) {
      try {
        import_case(one, staging.path());
      } catch (const Error& error) {
        found_.problems.add(kUnusable, error.what());
      } catch (const std::bad_alloc&) {
        found_.problems.add("files that there is not enough memory for", too_large(one.images[0]));
      }
      on_case(++summary_.cases, total);
    }
    check_all(values_.problem());
    check_all(likeness_.problem());
    if (!found_.problems.empty()) fail_with_problems();
    check(summary_.slices > 0, "{}: all slices are blank; check the files, or pass --keep-blank",
          config_.data.string());
    finish();
    write_slice_table(staging.path() / kSliceTable, rows_);
    write_import_record(staging.path() / kImportRecord, config_, summary_);
    staging.publish();
    return std::move(summary_);
  }

 private:
  void check_out() const {
    check(!fs::exists(out_) || (fs::is_directory(out_) && fs::is_empty(out_)),
          "--out {}: is there already; remove it or choose another folder", out_.string());
    const fs::path relative = fs::weakly_canonical(fs::absolute(out_))
                                  .lexically_relative(fs::weakly_canonical(fs::absolute(root_)));
    check(relative.empty() || *relative.begin() == "..",
          "--out {}: lies among the data that is imported; choose a folder elsewhere",
          out_.string());
  }

  /// Where an image cannot be read, what is wrong with its masks is noted too.
  Stack read_image_of(const ImportCase& one) {
    try {
      return read_image(one.images, config_.stack);
    } catch (const Error&) {
      for (const fs::path& file : one.masks) try {
          read_mask_stack(file, config_.stack);
        } catch (const Error& error) {
          found_.problems.add(kUnusable, error.what());
        }
      throw;
    }
  }

  void import_case(const ImportCase& one, const fs::path& folder) {
    const Stack image = read_image_of(one);
    ++summary_.image_kinds[image.kind];
    check_channels(image, one.images[0]);
    for (const std::string& doubt : image.doubts) doubts_.add("files in such doubt", doubt);
    const std::vector<std::uint8_t> bits = read_masks(one, image);
    scales_.add(image.values, one.images[0]);
    const auto pixels = static_cast<std::size_t>(image.height * image.width);
    const bool volume = is_nifti_name(one.images[0]);
    for (std::int64_t i = 0; i < image.slices; ++i) {
      SliceRow row{one.id,
                   patient_of_.at(one.id),
                   volume ? i : number_at_end(one.id),
                   names_of(one.images),
                   names_of(one.masks),
                   image.row_spacing,
                   image.column_spacing};
      if (volume) row.id = id_in_volume(one.id, i, image.slices);
      put_slice(image.slice(i), std::span(bits).subspan(i * pixels, pixels), image, one.images[0],
                std::move(row), folder);
    }
  }

  /// Reading has messages of its own.
  std::string too_large(const fs::path& file) const {
    const bool sized = config_.pad_to || config_.resize;
    return fmt::format(
        "{}: there is not enough memory for its slices{}; {}raise the limit (ulimit -v, ulimit -d)",
        file.string(),
        sized
            ? fmt::format(" of {}", size_text(*(config_.pad_to ? config_.pad_to : config_.resize)))
            : "",
        sized ? fmt::format("use a smaller {}, or ", config_.pad_to ? "--pad-to" : "--resize")
              : "");
  }

  void check_channels(const Stack& image, const fs::path& file) const {
    if (found_.channels <= 1 || !config_.stack.take_channels.empty()) return;
    check(image.channels == found_.channels,
          "{}: {} channels, {} names {}; unpack the data set again or mend that file",
          file.string(), image.channels, config_.data.string(), found_.channels);
  }

  /// The masks of a case as one, [slices, height, width] in {0, 1}.
  std::vector<std::uint8_t> read_masks(const ImportCase& one, const Stack& image) {
    std::vector<std::uint8_t> all(
        static_cast<std::size_t>(image.slices * image.height * image.width));
    for (const fs::path& file : one.masks) {
      const Stack mask = read_mask_stack(file, config_.stack);
      ++summary_.mask_kinds[mask.kind];
      const std::string problem = overlay_problem(image, mask, file);
      check(problem.empty(), "{}", problem);
      const std::vector<std::uint8_t> bits = values_.binary(mask.values, file);
      note_share(bits, mask, file);
      for (const std::string& doubt : mask.doubts) doubts_.add("files in such doubt", doubt);
      if (image.turned != mask.turned)
        doubts_.add(
            "such pictures",
            fmt::format("{}: turned upright as its EXIF or XMP orientation says, its {} {} "
                        "says none; if the mask was drawn on the pixels as they are stored, pass "
                        "--orientation stored",
                        (image.turned ? one.images[0] : file).string(),
                        image.turned ? "mask" : "image",
                        (image.turned ? file : one.images[0]).string()));
      for (std::size_t i = 0; i < all.size(); ++i) all[i] |= bits[i];
    }
    return all;
  }

  void note_share(const std::vector<std::uint8_t>& bits, const Stack& mask, const fs::path& file) {
    const auto tumour = std::count(bits.begin(), bits.end(), 1);
    if (2 * tumour <= std::ssize(bits)) return;
    doubts_.add(
        "such masks",
        fmt::format(
            "{}: {} of {} pixels are tumour; {}", file.string(), tumour, bits.size(),
            mask.white_is_zero
                ? "the file says that white is 0 (white-is-zero), and was read so, but some "
                  "programs write that of masks in which 1 is tumour: then write it again "
                  "with black as 0"
                : "are background and tumour exchanged (white-is-zero)?"));
  }

  /// Brings one slice to its size and writes it.
  void put_slice(std::span<const float> image, std::span<const std::uint8_t> mask,
                 const Stack& stack, const fs::path& file, SliceRow row, const fs::path& folder) {
    const bool tumour = std::find(mask.begin(), mask.end(), 1) != mask.end();
    if (!config_.keep_blank && !tumour && is_blank(image, stack.channels)) {
      ++summary_.blank;
      return;
    }
    const Size size{stack.height, stack.width};
    const Fit fit = fit_of(size, file);
    const auto& [inner, outer] = fit;
    const std::vector<float> pixels = fit_image(image, size, stack.channels, fit);
    std::vector<std::uint8_t> bits(mask.begin(), mask.end());
    if (inner != size) {
      bits = resize_mask(bits, size, inner);
      row.row_mm *= static_cast<double>(size.height) / static_cast<double>(inner.height);
      row.column_mm *= static_cast<double>(size.width) / static_cast<double>(inner.width);
    }
    if (outer != inner) bits = pad_mask(bits, inner, outer);
    likeness_.add(outer, stack.channels, stack.most, file);
    ++summary_.slices;
    if (std::find(bits.begin(), bits.end(), 1) != bits.end()) ++summary_.with_tumour;
    if (!found_.problems.empty()) return;  // nothing will be kept
    write_npy<float>(folder / (row.id + "_img.npy"), {outer.height, outer.width, stack.channels},
                     pixels, kNoFlush);
    write_npy<std::uint8_t>(folder / (row.id + "_seg.npy"), {outer.height, outer.width}, bits,
                            kNoFlush);
    rows_.push_back(std::move(row));
  }

  Fit fit_of(Size size, const fs::path& file) const {
    try {
      return fit(size, config_.resize, config_.stretch, config_.pad_to);
    } catch (const Error& error) {
      fail("{}: {}", file.string(), error.what());
    }
  }

  /// Notes what is wrong with the files taken together.
  void check_all(const std::string& problem) {
    if (!problem.empty())
      found_.problems.add("of all files", fmt::format("{}: {}", config_.data.string(), problem));
  }

  [[noreturn]] void fail_with_problems() const {
    const std::size_t count = found_.problems.count();
    fail("{}: {} problem{}, nothing was written:\n{}", config_.data.string(), count,
         count == 1 ? "" : "s", found_.problems.text(config_.all_problems));
  }

  void finish() {
    summary_.size = likeness_.size();
    summary_.channels = likeness_.channels();
    std::set<std::string> patients;
    for (const SliceRow& row : rows_) patients.insert(row.group);
    summary_.patients.assign(patients.begin(), patients.end());
    if (const std::string problem = scales_.problem(); !problem.empty())
      doubts_.add("scales", problem);
    summary_.warnings = doubts_.lines(1);
  }

  std::string name_of(const fs::path& file) const {
    return text_of_path(file.lexically_relative(root_.lexically_normal()));
  }

  std::string names_of(const std::vector<fs::path>& files) const {
    std::vector<std::string> names;
    for (const fs::path& file : files) names.push_back(name_of(file));
    return fmt::format("{}", fmt::join(names, ";"));
  }

  const ImportConfig& config_;
  bool is_json_;
  fs::path root_, out_;
  ImportCases found_;
  MaskValues values_;
  std::map<std::string, std::string> patient_of_;
  Likeness likeness_;
  ValueScales scales_;
  Problems doubts_;
  std::vector<SliceRow> rows_;
  ImportSummary summary_;
};

}  // namespace

ImportSummary import_data(const ImportConfig& config,
                          const std::function<void(std::int64_t, std::int64_t)>& on_case) {
  return Importer(config).run(on_case);
}

}  // namespace glia
