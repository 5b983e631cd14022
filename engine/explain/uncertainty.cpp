#include "engine/explain/uncertainty.h"

#include <cmath>

#include "engine/train/inference.h"

namespace glia::explain {

namespace {

/// Mean and deviation of numbers that come one after another (Welford, 1962), for every pixel.
class Moments {
 public:
  void add(const std::vector<float>& logits) {
    mean_.resize(logits.size());
    squares_.resize(logits.size());
    count_ += 1;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const double p = 1 / (1 + std::exp(-static_cast<double>(logits[i])));
      const double delta = p - mean_[i];
      mean_[i] += delta / count_;
      squares_[i] += delta * (p - mean_[i]);
    }
  }
  Spread spread() const {
    Spread spread;
    for (std::size_t i = 0; i < mean_.size(); ++i) {
      spread.mean.push_back(static_cast<float>(mean_[i]));
      spread.deviation.push_back(static_cast<float>(std::sqrt(squares_[i] / count_)));
    }
    return spread;
  }

 private:
  double count_ = 0;
  std::vector<double> mean_, squares_;
};

}  // namespace

Spread dropout_spread(Device& device, nn::Model& model, const Tensor& image, std::int64_t samples,
                      std::uint64_t seed, const std::function<void(std::int64_t)>& progress) {
  check(samples >= 2, "--samples: found {}, expected 2 or more", samples);
  Moments moments;
  for (std::int64_t i = 0; i < samples; ++i) {
    const std::int64_t step[] = {i};
    Tape tape(device, Tape::Mode::off);
    nn::Pass pass{.tape = tape,
                  .seed = seed,
                  .step = Tensor::from<std::int64_t>(device, {1}, step),
                  .dropout = true};
    moments.add(model.forward(pass, image).to_vector<float>());
    progress(i + 1);
  }
  return moments.spread();
}

Spread flip_spread(Device& device, nn::Model& model, const Tensor& image) {
  Moments moments;
  for (const auto& logits : flip_logits(device, model, image)) moments.add(logits);
  return moments.spread();
}

}  // namespace glia::explain
