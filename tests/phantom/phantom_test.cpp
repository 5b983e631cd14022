#include "engine/phantom/phantom.h"

#include <algorithm>
#include <fstream>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/formats/npy.h"
#include "tests/catch.h"
#include "tests/temp_folder.h"

using namespace glia;
namespace fs = std::filesystem;

namespace {

const auto kIgnore = [](std::int64_t) {};

PhantomConfig small_config() {
  PhantomConfig config;
  config.patients = 3;
  config.slices = 4;
  config.size = 60;
  config.seed = 5;
  return config;
}

}  // namespace

TEST_CASE("phantom: a patient depends on seed and number only") {
  PhantomConfig config = small_config();
  const auto slices = make_phantom_patient(config, 1);
  REQUIRE(slices.size() == 4);
  config.patients = 50;
  const auto again = make_phantom_patient(config, 1);
  for (std::size_t i = 0; i < slices.size(); ++i) {
    CHECK(slices[i].image == again[i].image);
    CHECK(slices[i].mask == again[i].mask);
  }
  CHECK(make_phantom_patient(config, 2)[1].image != slices[1].image);
  config.seed = 6;
  CHECK(make_phantom_patient(config, 1)[1].image != slices[1].image);
}

TEST_CASE("phantom: air is one negative value a channel, brain is brighter, tumour lies in brain") {
  const PhantomConfig config = small_config();
  for (std::int64_t patient = 0; patient < config.patients; ++patient) {
    const auto slices = make_phantom_patient(config, patient);
    const std::vector<float>& first = slices.front().image;
    for (const Slice& slice : slices) {
      std::size_t brain = 0, outside_tumour = 0, below_air = 0;
      for (std::size_t i = 0; i < slice.mask.size(); ++i) {
        const bool air = slice.image[3 * i] == first[0] && slice.image[3 * i + 1] == first[1];
        brain += !air;
        outside_tumour += air && slice.mask[i] != 0;
        for (std::size_t c = 0; c < 3; ++c) below_air += slice.image[3 * i + c] < first[c];
      }
      CHECK(first[0] < -0.3f);
      CHECK(below_air == 0);
      CHECK(outside_tumour == 0);
      CHECK(brain > slice.mask.size() / 20);
      CHECK(brain < slice.mask.size() / 2);
    }
  }
}

TEST_CASE("phantom: some slices have a tumour, some have none, brightness alone does not tell") {
  PhantomConfig config = small_config();
  config.slices = 6;
  std::int64_t with = 0, without = 0;
  double bright_tumour = 0, bright = 0, tumour = 0;
  for (std::int64_t patient = 0; patient < 12; ++patient)
    for (const Slice& slice : make_phantom_patient(config, patient)) {
      const bool found = std::find(slice.mask.begin(), slice.mask.end(), 1.0f) != slice.mask.end();
      (found ? with : without)++;
      for (std::size_t i = 0; i < slice.mask.size(); ++i) {
        const bool above = slice.image[3 * i] > 3.0f, is_tumour = slice.mask[i] == 1.0f;
        bright += above;
        tumour += is_tumour;
        bright_tumour += above && is_tumour;
      }
    }
  CHECK(with >= 15);
  CHECK(without >= 10);
  // The Dice coefficient of "FLAIR above 3" as a segmentation: better than nothing, far from good.
  const double dice = 2 * bright_tumour / (bright + tumour);
  CAPTURE(dice);
  CHECK(dice > 0.2);
  CHECK(dice < 0.8);
}

TEST_CASE("phantom: files are the same for any number of threads") {
  const TempFolder folder;
  const PhantomConfig config = small_config();
  std::vector<std::int64_t> progress;
  write_phantom(folder.path() / "one", config, false, 1,
                [&](std::int64_t done) { progress.push_back(done); });
  write_phantom(folder.path() / "three", config, false, 3, kIgnore);
  CHECK(progress == std::vector<std::int64_t>{1, 2, 3});

  const auto samples = scan_pairs(folder.path() / "one");
  REQUIRE(samples.size() == 12);
  CHECK(samples[4].id == "20");
  CHECK(read_npy_info(samples[4].image).dtype == "<f4");
  CHECK(read_npy_info(samples[4].mask).dtype == "|u1");
  CHECK(load_slice(samples[5]).image == make_phantom_patient(config, 1)[1].image);
  for (const Sample& sample : samples)
    for (const fs::path& file : {sample.image, sample.mask})
      CHECK(read_file(file) == read_file(folder.path() / "three" / file.filename()));
}

TEST_CASE("phantom: an existing folder is only replaced on request and only what we wrote") {
  const TempFolder folder;
  PhantomConfig config = small_config();
  write_phantom(folder.path(), config, false, 1, kIgnore);
  CHECK_THROWS_WITH(write_phantom(folder.path(), config, false, 1, kIgnore),
                    ContainsSubstring("--overwrite"));

  std::ofstream(folder.path() / "notes.txt") << "mine";
  config.patients = 1;
  write_phantom(folder.path(), config, true, 1, kIgnore);
  CHECK(scan_pairs(folder.path()).size() == 4);
  CHECK(read_file(folder.path() / "notes.txt") == "mine");

  fs::remove(folder.path() / "phantom.json");
  CHECK_THROWS_WITH(write_phantom(folder.path(), config, true, 1, kIgnore),
                    ContainsSubstring("without phantom.json"));
  CHECK(scan_pairs(folder.path()).size() == 4);
}

TEST_CASE("phantom: parameters out of range are refused before anything is written") {
  const TempFolder folder;
  PhantomConfig config = small_config();
  config.slices = 21;
  CHECK_THROWS_WITH(write_phantom(folder.path() / "new", config, false, 1, kIgnore),
                    ContainsSubstring("--slices is 21, expected 1 to 20"));
  CHECK_FALSE(fs::exists(folder.path() / "new"));
  config = small_config();
  config.patients = 0;
  CHECK_THROWS_WITH(make_phantom_patient(config, 0), ContainsSubstring("--patients is 0"));
}
