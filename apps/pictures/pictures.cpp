#include "apps/pictures/pictures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "engine/base/check.h"

namespace glia {

namespace {

using Colour = std::array<std::uint8_t, 3>;
constexpr Colour kTruth{40, 255, 120}, kPrediction{230, 20, 40}, kBoth{255, 235, 0};
constexpr Colour kLine{96, 96, 96};
constexpr int kLineWidth = 2;
constexpr int kOutline = 2;     // width of an outline, pixels of the enlarged picture
constexpr int kDash = 5;        // length of a dash and of a gap, likewise
constexpr double kTint = 0.25;  // share of red inside the prediction

using Bits = std::vector<std::uint8_t>;

void check_plane(const Plane& plane, const Picture& slice, const char* name) {
  check(plane.height == slice.height && plane.width == slice.width &&
            static_cast<std::int64_t>(plane.values.size()) == plane.height * plane.width,
        "picture: the {} is {} x {} ({} values), the slice is {} x {}; they must match", name,
        plane.height, plane.width, plane.values.size(), slice.height, slice.width);
}

/// A black picture. The sides come from files, so they are checked before anything is allocated.
Picture make_picture(std::int64_t height, std::int64_t width, int channels) {
  constexpr std::int64_t kMaxBytes = std::numeric_limits<int>::max();
  check(height > 0 && width > 0 && height <= kMaxBytes / channels / width,
        "picture: cannot draw {} x {} pixels with {} channels; a picture has 1 to {} bytes", height,
        width, channels, kMaxBytes);
  return {static_cast<int>(width), static_cast<int>(height), channels,
          std::vector<std::uint8_t>(static_cast<std::size_t>(height * width * channels))};
}

template <class Function>
Picture picture_of(const Plane& plane, Function&& pixel) {
  Picture picture = make_picture(plane.height, plane.width, 1);
  check(plane.values.size() == picture.pixels.size(),
        "picture: {} values do not make a plane of {} x {}", plane.values.size(), plane.height,
        plane.width);
  std::transform(plane.values.begin(), plane.values.end(), picture.pixels.begin(), pixel);
  return picture;
}

/// The pixels of `mask` (1 or 0) within `kOutline` of a pixel outside it or of the picture's edge,
/// in the four directions.
Bits outline(const Bits& mask, int height, int width) {
  Bits line(mask.size());
  const auto inside = [&](int y, int x) {
    return y >= 0 && x >= 0 && y < height && x < width && mask[std::size_t(y) * width + x] != 0;
  };
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      if (!inside(y, x)) continue;
      bool edge = false;
      for (int d = 1; d <= kOutline; ++d) {
        edge = edge || !inside(y - d, x) || !inside(y + d, x) || !inside(y, x - d) ||
               !inside(y, x + d);
      }
      line[std::size_t(y) * width + x] = edge;
    }
  }
  return line;
}

/// The plane's pixels above `threshold`, enlarged like the slice.
Bits enlarged_mask(const Plane& plane, float threshold, int factor) {
  const Picture picture = enlarge(mask_picture(plane, threshold), factor);
  Bits bits(picture.pixels.size() / 3);
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = picture.pixels[3 * i] != 0;
  return bits;
}

void put(Picture& picture, std::size_t pixel, const Colour& colour) {
  std::copy(colour.begin(), colour.end(), picture.pixels.begin() + 3 * std::ptrdiff_t(pixel));
}

}  // namespace

Picture enlarge(const Picture& source, int factor) {
  Picture picture =
      make_picture(std::int64_t{source.height} * factor, std::int64_t{source.width} * factor, 3);
  std::size_t at = 0;
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      const std::size_t pixel = std::size_t(y / factor) * source.width + x / factor;
      for (int c = 0; c < 3; ++c)
        picture.pixels[at++] = source.pixels[pixel * source.channels + c % source.channels];
    }
  }
  return picture;
}

Picture channel_picture(std::span<const float> image, std::int64_t height, std::int64_t width,
                        std::int64_t channels, std::int64_t channel) {
  check(channel >= 0 && channel < channels,
        "picture: channel {} of an image with {} channels; choose 0 to {}", channel, channels,
        channels - 1);
  Picture picture = make_picture(height, width, 1);
  const std::size_t count = picture.pixels.size();
  check(image.size() == count * static_cast<std::size_t>(channels),
        "picture: {} values do not make an image of {} x {} x {}", image.size(), height, width,
        channels);
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = image[i * channels + channel];

  std::vector<float> sorted;
  float least = std::numeric_limits<float>::infinity();
  for (const float value : values)
    if (std::isfinite(value)) least = std::min(least, value);
  std::copy_if(values.begin(), values.end(), std::back_inserter(sorted),
               [&](float value) { return std::isfinite(value) && value > least; });
  if (sorted.empty()) return picture;
  const auto percentile = [&](double share) {
    const auto place = sorted.begin() + std::lround(share * double(sorted.size() - 1));
    std::nth_element(sorted.begin(), place, sorted.end());
    return *place;
  };
  const double white = percentile(0.99);
  // With one value above the background the window would be empty; it then starts there.
  double black = percentile(0.01);
  if (black >= white) black = least;
  for (std::size_t i = 0; i < count; ++i) {
    const double share = (values[i] - black) / (white - black);
    // Written so that NaN is black.
    picture.pixels[i] =
        share > 0 ? static_cast<std::uint8_t>(std::lround(255 * std::min(share, 1.0))) : 0;
  }
  return picture;
}

Picture mask_picture(const Plane& plane, float threshold) {
  return picture_of(plane, [=](float value) { return std::uint8_t(value > threshold ? 255 : 0); });
}

Picture probability_picture(const Plane& probability) {
  return picture_of(probability, [](float p) {
    return p > 0 ? static_cast<std::uint8_t>(std::lround(255 * std::min(p, 1.0F)))
                 : std::uint8_t{0};
  });
}

Picture overlay_picture(const Picture& slice, const Plane& truth, const Plane& prediction,
                        float threshold) {
  check_plane(prediction, slice, "prediction");
  const int factor = display_factor(slice.height, slice.width);
  Picture picture = enlarge(slice, factor);
  const Bits predicted = enlarged_mask(prediction, threshold, factor);
  const Bits predicted_line = outline(predicted, picture.height, picture.width);
  Bits truth_line(predicted.size());
  if (!truth.values.empty()) {
    check_plane(truth, slice, "truth");
    truth_line = outline(enlarged_mask(truth, 0.5F, factor), picture.height, picture.width);
  }
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const auto x = static_cast<int>(i % picture.width), y = static_cast<int>(i / picture.width);
    // Dashes by the squares of a chessboard: even in every direction, without following the line.
    const bool dash = (x / kDash + y / kDash) % 2 == 0;
    if (truth_line[i] != 0) {
      put(picture, i, predicted_line[i] != 0 ? kBoth : kTruth);
    } else if (predicted_line[i] != 0 && dash) {
      put(picture, i, kPrediction);
    } else if (predicted[i] != 0) {
      for (std::size_t c = 0; c < 3; ++c) {
        std::uint8_t& value = picture.pixels[3 * i + c];
        value = static_cast<std::uint8_t>((1 - kTint) * value + kTint * kPrediction[c]);
      }
    }
  }
  return picture;
}

Picture triptych_picture(const Picture& slice, const Plane& truth, const Plane& probability,
                         const Plane& mask) {
  check_plane(probability, slice, "probability");
  check_plane(mask, slice, "mask");
  if (!truth.values.empty()) check_plane(truth, slice, "truth");
  const int factor = display_factor(slice.height, slice.width);
  const std::array panels{
      enlarge(slice, factor),
      enlarge(truth.values.empty() ? probability_picture(probability) : mask_picture(truth),
              factor),
      enlarge(mask_picture(mask), factor)};
  return contact_sheet(panels, 3);
}

Picture contact_sheet(std::span<const Picture> pictures, int columns) {
  check(!pictures.empty() && columns >= 1,
        "picture: a contact sheet of {} pictures in {} columns; both must be at least 1",
        pictures.size(), columns);
  const auto count = static_cast<std::int64_t>(pictures.size());
  const std::int64_t across = std::min<std::int64_t>(columns, count);
  const std::int64_t down = (count + across - 1) / across;
  std::int64_t cell_width = 0, cell_height = 0;
  for (const Picture& picture : pictures) {
    cell_width = std::max<std::int64_t>(cell_width, picture.width);
    cell_height = std::max<std::int64_t>(cell_height, picture.height);
  }
  Picture sheet = make_picture(down * (cell_height + kLineWidth) - kLineWidth,
                               across * (cell_width + kLineWidth) - kLineWidth, 3);
  for (std::size_t i = 0; i < sheet.pixels.size() / 3; ++i) put(sheet, i, kLine);
  for (std::int64_t i = 0; i < count; ++i) {
    const Picture rgb = enlarge(pictures[i], 1);
    const std::int64_t top =
        i / across * (cell_height + kLineWidth) + (cell_height - rgb.height) / 2;
    const std::int64_t left = i % across * (cell_width + kLineWidth) + (cell_width - rgb.width) / 2;
    for (std::int64_t y = 0; y < rgb.height; ++y) {
      std::copy_n(rgb.pixels.begin() + y * rgb.width * 3, rgb.width * 3,
                  sheet.pixels.begin() + ((top + y) * sheet.width + left) * 3);
    }
  }
  return sheet;
}

int display_factor(std::int64_t height, std::int64_t width) {
  constexpr std::int64_t kLongSide = 384;
  const std::int64_t side = std::max<std::int64_t>({height, width, 1});
  return static_cast<int>((kLongSide + side - 1) / side);
}

}  // namespace glia
