// Tensors as cuDNN is told about them: four extents, the distances between neighbours and a type.
#pragma once

#include <cstddef>
#include <string>

#include "kernels/api/view.h"

namespace glia::cudnn {

/// Element (n, h, w, c) lies at n * stride_n + h * stride_h + w * stride_w + c. Filters too: K, R,
/// S, C in place of N, H, W, C. Without `data` it describes memory that is yet to be given.
struct Image {
  void* data = nullptr;
  std::int64_t N = 1, H = 1, W = 1, C = 1;
  std::int64_t stride_n = 1, stride_h = 1, stride_w = 1;
  DType type = DType::f32;

  std::int64_t numel() const { return N * H * W * C; }
  std::size_t bytes() const { return static_cast<std::size_t>(numel()) * size_of(type); }
  bool dense() const { return stride_w == C && stride_h == W * C && stride_n == H * W * C; }
  /// The largest power of two up to 16 that divides the address.
  std::int64_t alignment() const;
  /// What every engine takes: dense and aligned to 16 bytes.
  bool plain() const { return dense() && alignment() == 16; }
  /// "[2, 5, 6, 3]", with the pitch where it is a slice and the type where that is not f32.
  std::string str() const;
};

/// A view of any rank; below four its rows count as one line of pixels.
Image image_of(const ConstView& view);

/// Dense, without data.
Image dense_image(std::int64_t N, std::int64_t H, std::int64_t W, std::int64_t C,
                  DType type = DType::f32);
inline Image dense_like(const Image& image, DType type) {
  return dense_image(image.N, image.H, image.W, image.C, type);
}
inline Image dense_like(const Image& image) {
  return dense_like(image, image.type);
}

}  // namespace glia::cudnn
