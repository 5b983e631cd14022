#include "engine/import/import.h"

#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/data/group.h"
#include "engine/formats/nifti.h"
#include "engine/formats/npy.h"
#include "engine/import/import_tables.h"

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

/// The folder that the import grows in, next to its final place, so that none is left half-written.
class Staging {
 public:
  explicit Staging(const fs::path& out)
      : path_(out.string() + ".part" + std::to_string(::getpid())) {
    make_folder(path_);
  }
  ~Staging() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  const fs::path& path() const { return path_; }

  void publish(const fs::path& out) const {
    sync_folder(path_);
    std::error_code error;
    fs::rename(path_, out, error);  // over an empty folder, if there is one
    check(!error, "{}: cannot move the imported slices there: {}", out.string(), error.message());
  }

 private:
  fs::path path_;
};

/// Without the slash that a folder's name may end in.
fs::path folder_path(const fs::path& path) {
  return path.has_filename() ? path : path.parent_path();
}

/// What all slices of a data set must agree in.
struct Likeness {
  Size size;
  std::int64_t channels;
  float opaque;  // the greatest value of the pictures' depth; 0 for other files
  auto operator<=>(const Likeness& other) const {
    return std::tie(size.height, size.width, channels, opaque) <=>
           std::tie(other.size.height, other.size.width, other.channels, other.opaque);
  }
};

struct Example {
  std::int64_t slices = 0;
  fs::path file;
};

/// The patient of every case, by id.
std::map<std::string, std::string> find_patients(const std::vector<ImportCase>& cases,
                                                 const std::string& rule) {
  std::map<std::string, std::string> patients;
  std::vector<std::string> ids, homeless;
  for (const ImportCase& one : cases) {
    const bool by_case = rule == "case" || (rule == "auto" && is_nifti_name(one.images[0]));
    if (by_case) {
      patients[one.id] = one.id;
    } else if (rule == "auto" || rule == "folder") {
      patients[one.id] = one.folder;
      if (one.folder.empty()) homeless.push_back(one.images[0].string());
    } else {
      ids.push_back(one.id);
    }
  }
  check(homeless.empty(),
        "--group-by {}: {} images lie in no folder of their own that could be their patient's, for "
        "example {}; pass regex:EXPRESSION, csv:FILE or id/N, or case if no two are of one patient",
        rule, homeless.size(), homeless.empty() ? "" : homeless[0]);
  if (!ids.empty()) patients = assign_groups(ids, rule);
  return patients;
}

class Importer {
 public:
  explicit Importer(const ImportConfig& config)
      : config_(config),
        is_json_(config.data.extension() == ".json"),
        root_(is_json_ ? config.data.parent_path() / "." : config.data),
        out_(folder_path(config.out)),
        found_(is_json_ ? read_dataset_json(config.data) : find_cases(config.data, config.names)),
        values_(config.mask, found_.labels) {
    check_out();
    summary_.unused = found_.unused;
  }

  ImportSummary run(const std::function<void(std::int64_t, std::int64_t)>& on_case) {
    if (found_.cases.empty()) fail_with_problems();
    patient_of_ = find_patients(found_.cases, config_.group_by);
    const Staging staging(out_);
    const auto total = std::ssize(found_.cases);
    for (const ImportCase& one : found_.cases) {
      try {
        import_case(one, staging.path());
      } catch (const Error& error) {
        found_.problems.push_back(error.what());
      }
      on_case(++summary_.cases, total);
    }
    check_values();
    check_likeness();
    if (!found_.problems.empty()) fail_with_problems();
    check(summary_.slices > 0, "{}: all slices are blank; check the files, or pass --keep-blank",
          config_.data.string());
    finish();
    write_slice_table(staging.path() / kSliceTable, rows_);
    write_import_record(staging.path() / kImportRecord, config_, summary_);
    staging.publish(out_);
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

  void import_case(const ImportCase& one, const fs::path& folder) {
    const Stack image = read_image(one.images, config_.stack);
    const Stack mask = read_mask_stack(one.mask, config_.stack);
    ++summary_.image_kinds[image.kind];
    ++summary_.mask_kinds[mask.kind];
    const std::string problem = overlay_problem(image, mask, one.mask);
    check(problem.empty(), "{}", problem);
    const auto bad = std::count_if(image.values.begin(), image.values.end(),
                                   [](float value) { return !std::isfinite(value); });
    check(bad == 0, "{}: {} of {} values are NaN or infinite; replace them, for example by 0",
          one.images[0].string(), bad, image.values.size());
    const std::vector<std::uint8_t> bits = values_.binary(mask.values, one.mask);
    const int digits = static_cast<int>(std::to_string(image.slices - 1).size());
    const auto pixels = static_cast<std::size_t>(image.height * image.width);
    const bool volume = is_nifti_name(one.images[0]);
    for (std::int64_t i = 0; i < image.slices; ++i) {
      SliceRow row{one.id,
                   patient_of_.at(one.id),
                   volume ? i : number_at_end(one.id),
                   names_of(one.images),
                   name_of(one.mask),
                   image.row_spacing,
                   image.column_spacing};
      if (volume) row.id += fmt::format("_{:0{}}", i, digits);
      put_slice(image.slice(i), std::span(bits).subspan(i * pixels, pixels), image, one.images[0],
                std::move(row), folder);
    }
  }

  /// Resizes one slice as told and writes it.
  void put_slice(std::span<const float> image, std::span<const std::uint8_t> mask,
                 const Stack& stack, const fs::path& file, SliceRow row, const fs::path& folder) {
    const bool tumour = std::find(mask.begin(), mask.end(), 1) != mask.end();
    if (!config_.keep_blank && !tumour && is_blank(image, stack.channels)) {
      ++summary_.blank;
      return;
    }
    Size size{stack.height, stack.width};
    std::vector<float> pixels(image.begin(), image.end());
    std::vector<std::uint8_t> bits(mask.begin(), mask.end());
    if (config_.resize) {
      const Size to = *config_.resize;
      pixels = resize_image(pixels, size, stack.channels, to);
      bits = resize_mask(bits, size, to);
      row.row_mm *= static_cast<double>(size.height) / static_cast<double>(to.height);
      row.column_mm *= static_cast<double>(size.width) / static_cast<double>(to.width);
      size = to;
    }
    if (config_.pad_to) {
      check(config_.pad_to->height >= size.height && config_.pad_to->width >= size.width,
            "{}: {} x {} pixels are more than --pad-to {}x{}; choose a larger size or --resize",
            file.string(), size.height, size.width, config_.pad_to->height, config_.pad_to->width);
      pixels = pad_image(pixels, size, stack.channels, *config_.pad_to);
      bits = pad_mask(bits, size, *config_.pad_to);
      size = *config_.pad_to;
    }
    Example& like = likenesses_[{size, stack.channels, stack.most.front()}];
    if (like.slices++ == 0) like.file = file;
    ++summary_.slices;
    if (std::find(bits.begin(), bits.end(), 1) != bits.end()) ++summary_.with_tumour;
    if (!found_.problems.empty()) return;  // nothing will be kept
    write_npy<float>(folder / (row.id + "_img.npy"), {size.height, size.width, stack.channels},
                     pixels, kNoFlush);
    write_npy<std::uint8_t>(folder / (row.id + "_seg.npy"), {size.height, size.width}, bits,
                            kNoFlush);
    rows_.push_back(std::move(row));
  }

  void check_values() {
    const std::string problem = values_.problem();
    if (!problem.empty())
      found_.problems.push_back(fmt::format("{}: {}", config_.data.string(), problem));
  }

  void check_likeness() {
    if (likenesses_.size() < 2) return;
    std::vector<std::string> kinds;
    Size largest;
    bool same_size = true;
    for (const auto& [likeness, example] : likenesses_) {
      const Size size = likeness.size;
      same_size = same_size && size == likenesses_.begin()->first.size;
      largest = {std::max(largest.height, size.height), std::max(largest.width, size.width)};
      kinds.push_back(fmt::format(
          "{} of {} x {} with {} channels{} (first {})", example.slices, size.height, size.width,
          likeness.channels,
          likeness.opaque > 0 ? fmt::format(" up to {:g}", likeness.opaque) : std::string(),
          example.file.string()));
    }
    found_.problems.push_back(fmt::format(
        "{}: the slices are not alike: {}; {}", config_.data.string(), fmt::join(kinds, ", "),
        same_size ? "convert them to one depth, and choose channels with --take-channels"
                  : fmt::format("--pad-to {0}x{1} or --resize {0}x{1} gives them one size",
                                largest.height, largest.width)));
  }

  [[noreturn]] void fail_with_problems() const {
    fail("{}: {} problem{}, nothing was written:\n  {}", config_.data.string(),
         found_.problems.size(), found_.problems.size() == 1 ? "" : "s",
         fmt::join(found_.problems, "\n  "));
  }

  void finish() {
    const Likeness& like = likenesses_.begin()->first;
    summary_.size = like.size;
    summary_.channels = like.channels;
    std::set<std::string> patients;
    for (const SliceRow& row : rows_) patients.insert(row.group);
    summary_.patients.assign(patients.begin(), patients.end());
  }

  std::string name_of(const fs::path& file) const {
    return file.lexically_relative(root_.lexically_normal()).string();
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
  std::map<Likeness, Example> likenesses_;
  std::vector<SliceRow> rows_;
  ImportSummary summary_;
};

}  // namespace

ImportSummary import_data(const ImportConfig& config,
                          const std::function<void(std::int64_t, std::int64_t)>& on_case) {
  return Importer(config).run(on_case);
}

}  // namespace glia
