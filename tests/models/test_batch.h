// A small labelled batch for tests of whole networks.
#pragma once

#include <vector>

#include "engine/base/rng.h"
#include "engine/data/loader.h"
#include "engine/tensor/tensor.h"

namespace glia::test {

/// A batch that is the same in float and double: images with a bright square where the mask is 1.
struct TestBatch {
  Shape shape;
  std::vector<float> images, masks;

  explicit TestBatch(std::int64_t count = 2) : shape{count, 16, 24, 3} {
    Sequence random(7, 0);
    for (std::int64_t n = 0; n < shape[0]; ++n)
      for (std::int64_t h = 0; h < shape[1]; ++h)
        for (std::int64_t w = 0; w < shape[2]; ++w) {
          const bool inside = h >= 3 + n && h < 9 + n && w >= 5 && w < 14 + n;
          for (std::int64_t c = 0; c < shape[3]; ++c)
            images.push_back(static_cast<float>(random.normal() + (inside ? 2.0 : 0.0)));
          masks.push_back(inside ? 1.0f : 0.0f);
        }
  }
  /// Images [first, first + count).
  TestBatch part(std::int64_t first, std::int64_t count) const {
    TestBatch result(0);
    result.shape = {count, shape[1], shape[2], shape[3]};
    const auto cut = [&](const std::vector<float>& all, std::int64_t channels) {
      const std::int64_t image = shape[1] * shape[2] * channels;
      return std::vector<float>(all.begin() + first * image, all.begin() + (first + count) * image);
    };
    result.images = cut(images, shape[3]);
    result.masks = cut(masks, 1);
    return result;
  }
  /// The images in reverse order.
  TestBatch reversed() const {
    TestBatch result(0);
    for (std::int64_t n = shape[0]; n-- > 0;) {
      const TestBatch one = part(n, 1);
      result.images.insert(result.images.end(), one.images.begin(), one.images.end());
      result.masks.insert(result.masks.end(), one.masks.begin(), one.masks.end());
    }
    result.shape = shape;
    return result;
  }
  /// As a loader would hand it over.
  Batch batch() const {
    return {.size = shape[0],
            .height = shape[1],
            .width = shape[2],
            .channels = shape[3],
            .images = images,
            .masks = masks};
  }
  template <class T>
  Tensor tensor(Device& device, const Shape& s, const std::vector<float>& values) const {
    const std::vector<T> converted(values.begin(), values.end());
    return Tensor::from<T>(device, s, converted);
  }
};

}  // namespace glia::test
