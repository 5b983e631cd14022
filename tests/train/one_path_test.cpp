// What evaluate scores are the pixels that predict writes.
#include <cmath>

#include "engine/base/rng.h"
#include "engine/train/evaluate.h"
#include "engine/train/predict.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/temp_folder.h"

using namespace glia;

namespace {

/// Slices with bright discs of noise, which are the masks.
std::vector<Sample> write_slices(const std::filesystem::path& folder, std::int64_t height,
                                 std::int64_t width) {
  Sequence random(5, 0);
  for (int id = 0; id < 5; ++id) {
    std::vector<float> image;
    std::vector<std::uint8_t> mask;
    for (std::int64_t h = 0; h < height; ++h)
      for (std::int64_t w = 0; w < width; ++w) {
        const bool inside = std::hypot(h - height / 2, w - 5 - id) < 5;
        mask.push_back(inside);
        for (int c = 0; c < 2; ++c)
          image.push_back(static_cast<float>(100 + 30 * random.normal() + (inside ? 40 : 0)));
      }
    std::filesystem::create_directories(folder);
    write_npy<float>(folder / fmt::format("{}_img.npy", id), {height, width, 2}, image);
    write_npy<std::uint8_t>(folder / fmt::format("{}_seg.npy", id), {height, width}, mask);
  }
  return scan_pairs(folder);
}

struct Seen {
  std::vector<float> probability, mask;
};

}  // namespace

TEST_CASE(
    "one path: evaluate and predict give every pixel of a slice the same probability and mask",
    "[train]") {
  const TempFolder folder;
  const auto device = make_cpu_device(2);
  UNet model({.in_channels = 2, .base_width = 4, .depth = 2});
  model.parameters().allocate(*device, 3);
  Predictor predictor(*device, model);
  const Objective objective = Objective::parse("iou", Region::batch, 1);
  // 30 x 27 and 17 x 40 are padded for the network, which takes multiples of 4.
  for (const auto& [height, width] : {std::pair{32, 32}, std::pair{30, 27}, std::pair{17, 40}}) {
    const auto samples =
        write_slices(folder.path() / fmt::format("{}x{}", height, width), height, width);
    const Preprocess preprocess = Preprocess::fit(Preprocess::Normalize::dataset, samples);
    for (const double threshold : {0.5, 0.37, 0.62})
      for (const bool flips : {false, true})
        for (const bool steps : {false, true})
          for (const std::int64_t batch_size : {1, 3}) {
            INFO(height << "x" << width << ", threshold " << threshold << ", flips " << flips
                        << ", steps " << steps << ", batches of " << batch_size);
            const Postprocess postprocess{.fill_holes = steps, .min_size = steps ? 4 : 0};
            std::map<std::string, Seen> seen;
            EvaluateOptions options{.threshold = threshold,
                                    .inference = {.flips = flips, .postprocess = postprocess}};
            options.slice = [&](const ScoredSlice& slice) {
              seen[slice.id] = {{slice.probability.begin(), slice.probability.end()},
                                {slice.mask.begin(), slice.mask.end()}};
            };
            Loader loader(samples, preprocess, {.batch_size = batch_size, .augment = {}});
            const EvaluateResult result = evaluate(*device, model, loader, objective, options);
            REQUIRE(seen.size() == samples.size());
            bool any = false;
            for (const Case& slice : result.evaluation.slices()) {
              const auto sample = std::find_if(samples.begin(), samples.end(),
                                               [&](const Sample& s) { return s.id == slice.id; });
              const auto probability =
                  predict_probabilities(predictor, preprocess, load_slice(*sample), flips);
              const auto mask = decide(probability, height, width, threshold, postprocess);
              CHECK((seen[slice.id].probability == probability));
              CHECK((seen[slice.id].mask == mask));
              // Counted on the device, by logits.
              const auto tumour = std::count(mask.begin(), mask.end(), 1.0F);
              CHECK(slice.counts.tp + slice.counts.fp == tumour);
              any = any || (tumour > 0 && tumour < std::ssize(mask));
            }
            // Of an untrained network's noise, steps may leave nothing or fill all.
            CHECK((any || steps));
          }
  }
}

TEST_CASE("one path: a logit exceeds the threshold's exactly where its probability does",
          "[train]") {
  for (const double threshold : {0.5, 0.37, 0.9, 0.01, 0.999, 1e-6, 1 - 1e-6, 1e-300, 1 - 1e-16}) {
    INFO(threshold);
    const auto t = static_cast<float>(threshold);
    const float logit = threshold_logit(threshold);
    float above = logit, below = logit;
    for (int i = 0; i < 10000; ++i) {
      if (probability_of(below) > t) FAIL(below);
      below = std::nextafter(below, -INFINITY);
      above = std::nextafter(above, INFINITY);
      if (t < 1 && !(probability_of(above) > t)) FAIL(above);
    }
    if (t > 1e-10F && t < 0.9999F)
      CHECK(logit == Approx(std::log(threshold / (1 - threshold))).margin(1e-6));
  }
  CHECK_THAT(error_of([] { threshold_logit(1); }), ContainsSubstring("--threshold: found 1"));
  CHECK_THAT(error_of([] { threshold_logit(0); }), ContainsSubstring("--threshold: found 0"));
}
