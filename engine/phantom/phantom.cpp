// From an anatomy to slices as a scanner and the usual preprocessing leave them: blur, bias field,
// Rician noise, skull-stripping, z-score.
#include "engine/phantom/phantom.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "engine/base/check.h"
#include "engine/base/cores.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/rng.h"
#include "engine/base/staging.h"
#include "engine/formats/npy.h"
#include "engine/phantom/anatomy.h"

namespace glia {
namespace {

namespace fs = std::filesystem;

constexpr bool kNoFlush = false;  // the whole folder is flushed once
constexpr std::size_t kChannels = 3;
constexpr double kFieldOfView = 240, kLowest = -36, kHighest = 50;  // mm
/// Share of a whole head's volume that is brain. The statistics are those of a whole volume,
/// however few of its slices are made; air then lands near -0.44, as in the real data.
constexpr double kBrainShare = 0.16;
constexpr const char* kManifest = "phantom.json";

/// How one patient's scan was taken.
struct Scanner {
  double noise = 0;
  std::array<std::array<double, 4>, kChannels> bias{};
};

Scanner draw_scanner(std::uint64_t seed, std::int64_t patient) {
  Sequence draw(seed, (static_cast<std::uint64_t>(patient) << 8) | 3);
  Scanner scanner;
  scanner.noise = draw.uniform(0.015, 0.05);
  for (auto& channel : scanner.bias)
    for (double& c : channel) c = draw.uniform(-0.12, 0.12);
  return scanner;
}

/// What lies at every pixel of the plane at height `z`.
std::vector<TissuePoint> cut(const Anatomy& anatomy, std::int64_t size, double z) {
  std::vector<TissuePoint> plane;
  plane.reserve(static_cast<std::size_t>(size * size));
  const double step = kFieldOfView / static_cast<double>(size);
  const double middle = 0.5 * static_cast<double>(size - 1);
  for (std::int64_t row = 0; row < size; ++row)
    for (std::int64_t column = 0; column < size; ++column)
      plane.push_back(anatomy.at({(static_cast<double>(column) - middle) * step,
                                  (static_cast<double>(row) - middle) * step, z}));
  return plane;
}

/// A 3×3 binomial blur over brain pixels only, so that the stripped border stays sharp.
Signal blurred(const std::vector<TissuePoint>& plane, std::int64_t size, std::int64_t row,
               std::int64_t column) {
  Signal sum{};
  double weights = 0;
  for (std::int64_t y = std::max<std::int64_t>(row - 1, 0); y <= std::min(row + 1, size - 1); ++y)
    for (std::int64_t x = std::max<std::int64_t>(column - 1, 0);
         x <= std::min(column + 1, size - 1); ++x) {
      const TissuePoint& point = plane[static_cast<std::size_t>(y * size + x)];
      if (!point.brain) continue;
      const double weight = (y == row ? 2 : 1) * (x == column ? 2 : 1);
      weights += weight;
      for (std::size_t c = 0; c < kChannels; ++c) sum[c] += weight * point.signal[c];
    }
  for (double& value : sum) value /= weights;
  return sum;
}

/// The slice as the scanner delivers it: 0 in air, positive in the brain.
Slice scan(const std::vector<TissuePoint>& plane, std::int64_t size, double z,
           const Scanner& scanner, const Random& noise) {
  Slice slice{.height = size, .width = size, .channels = kChannels, .image = {}, .mask = {}};
  slice.image.assign(plane.size() * kChannels, 0.0f);
  slice.mask.assign(plane.size(), 0.0f);
  for (std::size_t i = 0; i < plane.size(); ++i) {
    if (!plane[i].brain) continue;
    const auto row = static_cast<std::int64_t>(i) / size,
               column = static_cast<std::int64_t>(i) % size;
    const double x = 2.0 * static_cast<double>(column) / static_cast<double>(size) - 1;
    const double y = 2.0 * static_cast<double>(row) / static_cast<double>(size) - 1;
    const Signal signal = blurred(plane, size, row, column);
    for (std::size_t c = 0; c < kChannels; ++c) {
      const auto& b = scanner.bias[c];
      const double bias = std::exp(b[0] * x + b[1] * y + b[2] * x * y + b[3] * (y * y - z / 60));
      const std::size_t at = i * kChannels + c;
      const double real = signal[c] * bias + scanner.noise * noise.normal(2 * at);
      slice.image[at] =
          static_cast<float>(std::hypot(real, scanner.noise * noise.normal(2 * at + 1)));
    }
    slice.mask[i] = plane[i].tumour ? 1.0f : 0.0f;
  }
  return slice;
}

/// z-scores every channel over the patient's volume; air (0 in every channel) is the rest of it.
void normalize(std::vector<Slice>& slices) {
  for (std::size_t c = 0; c < kChannels; ++c) {
    double sum = 0, squares = 0, brain = 0;
    for (const Slice& slice : slices)
      for (std::size_t i = c; i < slice.image.size(); i += kChannels) {
        const double value = slice.image[i];
        sum += value;
        squares += value * value;
        brain += value > 0;
      }
    const double count = std::max(brain, 1.0) / kBrainShare, mean = sum / count;
    const double scale = 1 / std::sqrt(std::max(squares / count - mean * mean, 1e-12));
    for (Slice& slice : slices)
      for (std::size_t i = c; i < slice.image.size(); i += kChannels)
        slice.image[i] = static_cast<float>((slice.image[i] - mean) * scale);
  }
}

void check_config(const PhantomConfig& config) {
  check(config.patients >= 1 && config.patients <= 1'000'000,
        "phantom: --patients is {}, expected 1 to 1000000", config.patients);
  check(config.slices >= 1 && config.slices <= kIdsPerPatient,
        "phantom: --slices is {}, expected 1 to {}: ids are {}·patient + slice", config.slices,
        kIdsPerPatient, kIdsPerPatient);
  check(config.size >= 16 && config.size <= 4096, "phantom: --size is {}, expected 16 to 4096",
        config.size);
}

std::string file_name(std::int64_t id, const char* what) {
  return fmt::format("{}_{}.npy", id, what);
}

/// Removes what an earlier run wrote, as told by its manifest, and nothing else.
void remove_earlier(const fs::path& folder) {
  const fs::path manifest = folder / kManifest;
  check(fs::exists(manifest),
        "{}: not empty and without {}, so not made by glia phantom; choose another --out",
        folder.string(), kManifest);
  const auto json = parse_json(read_text(manifest), manifest.string());
  const auto count = [&](const char* key) -> std::int64_t {
    check(json.is_object() && json.contains(key) && json[key].is_number_integer(),
          "{}: no whole number '{}'; remove the folder yourself or choose another --out",
          manifest.string(), key);
    return json[key].get<std::int64_t>();
  };
  const PhantomConfig earlier{.patients = count("patients"), .slices = count("slices")};
  check_config(earlier);
  for (std::int64_t patient = 0; patient < earlier.patients; ++patient)
    for (std::int64_t slice = 0; slice < earlier.slices; ++slice)
      for (const char* what : {"img", "seg"})
        fs::remove(folder / file_name(patient * kIdsPerPatient + slice, what));
  fs::remove(manifest);
}

void write_patient(const fs::path& folder, const PhantomConfig& config, std::int64_t patient) {
  const std::vector<Slice> slices = make_phantom_patient(config, patient);
  for (std::size_t i = 0; i < slices.size(); ++i) {
    const Slice& slice = slices[i];
    const std::int64_t id = patient * kIdsPerPatient + static_cast<std::int64_t>(i);
    const std::vector<std::uint8_t> mask(slice.mask.begin(), slice.mask.end());
    write_npy<float>(folder / file_name(id, "img"), {slice.height, slice.width, slice.channels},
                     slice.image, kNoFlush);
    write_npy<std::uint8_t>(folder / file_name(id, "seg"), {slice.height, slice.width}, mask,
                            kNoFlush);
  }
}

}  // namespace

std::vector<Slice> make_phantom_patient(const PhantomConfig& config, std::int64_t patient) {
  check_config(config);
  const Anatomy anatomy(config.seed, patient);
  const Scanner scanner = draw_scanner(config.seed, patient);
  std::vector<Slice> slices;
  for (std::int64_t i = 0; i < config.slices; ++i) {
    const double share = (static_cast<double>(i) + 0.5) / static_cast<double>(config.slices);
    const double z = kLowest + (kHighest - kLowest) * share;
    const auto stream =
        static_cast<std::uint64_t>(patient) << 8 | (16 + static_cast<std::uint64_t>(i));
    slices.push_back(
        scan(cut(anatomy, config.size, z), config.size, z, scanner, {config.seed, stream}));
  }
  normalize(slices);
  return slices;
}

namespace {

/// Writes manifest and slices into `folder`.
void fill_folder(const fs::path& folder, const PhantomConfig& config, int threads,
                 const std::function<void(std::int64_t)>& on_patient) {
  const nlohmann::ordered_json manifest = {{"patients", config.patients},
                                           {"slices", config.slices},
                                           {"size", config.size},
                                           {"seed", config.seed},
                                           {"channels", {"FLAIR", "T1", "T1ce"}},
                                           {"mask", "whole tumour"}};
  // First, so that what a stopped --overwrite leaves is known as ours and the next one mends it.
  write_file_atomically(folder / kManifest, manifest.dump(2) + "\n");

  std::atomic<std::int64_t> next{0};
  std::mutex mutex;
  std::int64_t done = 0;
  std::exception_ptr error;
  const auto work = [&] {
    for (std::int64_t patient = next++; patient < config.patients; patient = next++) try {
        write_patient(folder, config, patient);
        const std::lock_guard lock(mutex);
        on_patient(++done);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
        next = config.patients;
      }
  };
  {
    std::vector<std::jthread> workers;
    for (int i = 1; i < threads; ++i)
      workers.emplace_back([&] {
        use_given_cores();
        work();
      });
    work();
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace

void write_phantom(const fs::path& folder, const PhantomConfig& config, bool overwrite, int threads,
                   const std::function<void(std::int64_t)>& on_patient) {
  check_config(config);
  if (fs::exists(folder) && !(fs::is_directory(folder) && fs::is_empty(folder))) {
    check(overwrite && fs::is_directory(folder),
          "{}: exists and is not empty; choose another --out or pass --overwrite", folder.string());
    remove_earlier(folder);
    fill_folder(folder, config, threads, on_patient);
    return sync_folder(folder);
  }
  Staging staging(folder);
  fill_folder(staging.path(), config, threads, on_patient);
  staging.publish();
}

}  // namespace glia
