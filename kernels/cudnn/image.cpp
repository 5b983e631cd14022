#include "kernels/cudnn/image.h"

#include <fmt/format.h>

namespace glia::cudnn {

namespace {

Image with_pitch(std::int64_t N, std::int64_t H, std::int64_t W, std::int64_t C,
                 std::int64_t pitch) {
  return {.N = N,
          .H = H,
          .W = W,
          .C = C,
          .stride_n = H * W * pitch,
          .stride_h = W * pitch,
          .stride_w = pitch};
}

}  // namespace

std::int64_t Image::alignment() const {
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  std::int64_t alignment = 16;
  while (address % static_cast<std::uintptr_t>(alignment) != 0) alignment /= 2;
  return alignment;
}

std::string Image::str() const {
  const std::string extents = fmt::format("[{}, {}, {}, {}]", N, H, W, C);
  return fmt::format("{}{}{}", extents, dense() ? "" : fmt::format(" pitch {}", stride_w),
                     type == DType::f32 ? "" : fmt::format(" {}", name_of(type)));
}

Image image_of(const ConstView& view) {
  const Shape& s = view.shape;
  Image image = s.rank() == 4 ? with_pitch(s[0], s[1], s[2], s[3], view.pitch)
                              : with_pitch(1, 1, view.rows(), view.channels(), view.pitch);
  image.type = view.dtype;
  image.data = const_cast<void*>(view.data);  // cuDNN's bindings do not tell input from output
  return image;
}

Image dense_image(std::int64_t N, std::int64_t H, std::int64_t W, std::int64_t C, DType type) {
  Image image = with_pitch(N, H, W, C, C);
  image.type = type;
  return image;
}

}  // namespace glia::cudnn
