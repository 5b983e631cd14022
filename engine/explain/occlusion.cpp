#include "engine/explain/occlusion.h"

#include <algorithm>

namespace glia::explain {

namespace {

struct Square {
  std::int64_t top, left;
};

/// First rows (or columns) of the squares.
std::vector<std::int64_t> starts(std::int64_t size, std::int64_t patch, std::int64_t stride) {
  std::vector<std::int64_t> list;
  for (std::int64_t at = 0; at + patch < size; at += stride) list.push_back(at);
  list.push_back(std::max<std::int64_t>(size - patch, 0));
  return list;
}

/// Calls `visit` with the index of every pixel of a square.
template <class Visit>
void each_pixel(const Subject& s, const Square& square, std::int64_t patch, Visit&& visit) {
  for (std::int64_t h = square.top; h < std::min(square.top + patch, s.height()); ++h)
    for (std::int64_t w = square.left; w < std::min(square.left + patch, s.width()); ++w)
      visit(static_cast<std::size_t>(h * s.width() + w));
}

/// The sum of the logits over the region, for each of the images one after another in `images`.
std::vector<double> targets(const Subject& s, const std::vector<float>& images) {
  const std::size_t one = s.region.size() * static_cast<std::size_t>(s.image.shape().channels());
  const auto count = static_cast<std::int64_t>(images.size() / one);
  Tape tape(s.device, Tape::Mode::off);
  nn::Pass pass{.tape = tape};
  const Shape shape{count, s.height(), s.width(), s.image.shape().channels()};
  const auto logits =
      s.model.forward(pass, Tensor::from<float>(s.device, shape, images)).to_vector<float>();
  std::vector<double> sums;
  for (auto at = logits.begin(); at != logits.end();
       at += static_cast<std::ptrdiff_t>(s.region.size())) {
    double sum = 0;
    for (std::size_t i = 0; i < s.region.size(); ++i)
      sum += static_cast<double>(s.region[i]) * at[static_cast<std::ptrdiff_t>(i)];
    sums.push_back(sum);
  }
  return sums;
}

std::vector<double> channel_means(const std::vector<float>& image, std::size_t channels) {
  std::vector<double> means(channels);
  for (std::size_t i = 0; i < image.size(); ++i) means[i % channels] += image[i];
  for (double& mean : means) mean /= static_cast<double>(image.size() / channels);
  return means;
}

}  // namespace

std::vector<float> occlusion(const Subject& subject, const OcclusionConfig& config) {
  check(config.patch >= 1 && config.stride >= 1 && config.stride <= config.patch,
        "--patch {} --stride {}: expected 1 <= stride <= patch, so that every pixel is hidden once",
        config.patch, config.stride);
  check(config.batch >= 1, "occlusion: found batches of {}, expected 1 or more", config.batch);
  const auto image = subject.image.to_vector<float>();
  const auto channels = static_cast<std::size_t>(subject.image.shape().channels());
  const std::vector<double> fill = channel_means(image, channels);
  std::vector<Square> squares;
  for (const std::int64_t top : starts(subject.height(), config.patch, config.stride))
    for (const std::int64_t left : starts(subject.width(), config.patch, config.stride))
      squares.push_back({top, left});

  const double whole = targets(subject, image).front();
  std::vector<double> drops(subject.region.size()), hidden(subject.region.size());
  const auto step = static_cast<std::size_t>(config.batch);
  for (std::size_t first = 0; first < squares.size(); first += step) {
    const auto batch = std::span(squares).subspan(first, std::min(step, squares.size() - first));
    std::vector<float> images;
    for (const Square& square : batch) {
      const auto begin = images.size();
      images.insert(images.end(), image.begin(), image.end());
      each_pixel(subject, square, config.patch, [&](std::size_t pixel) {
        for (std::size_t c = 0; c < channels; ++c)
          images[begin + pixel * channels + c] = static_cast<float>(fill[c]);
      });
    }
    const std::vector<double> left = targets(subject, images);
    for (std::size_t i = 0; i < batch.size(); ++i)
      each_pixel(subject, batch[i], config.patch, [&](std::size_t pixel) {
        drops[pixel] += whole - left[i];
        hidden[pixel] += 1;
      });
    config.progress(static_cast<std::int64_t>(first + batch.size()),
                    static_cast<std::int64_t>(squares.size()));
  }
  std::vector<float> map;
  for (std::size_t i = 0; i < drops.size(); ++i)
    map.push_back(static_cast<float>(drops[i] / hidden[i]));
  return map;
}

}  // namespace glia::explain
