// Slices of a data set become a batch, augmented: kernels/api/augment.h.
//
// Work: kernels/cuda/regions.h, an image a region, 256 threads a block. One launch moves pixels;
// where gamma is asked for, another finds each channel's range; where brightness or noise is, one
// applies gamma and adds up each image's values in double, relative to its first one: no value of n
// lies more than sqrt(n) deviations from the mean, so E[(x - x0)^2] - E[x - x0]^2 loses at most the
// digits of n, whatever the data's scale; and the last one adds them. What a launch needs of an
// image's other blocks was left by the launch before it. Shared memory: a range a channel (512
// bytes), or 16 bytes a warp (512), or one double.
#include <limits>

#include "engine/base/rng.h"
#include "kernels/cuda/kernels.h"
#include "kernels/cuda/regions.h"

namespace glia::GLIA_GPU {
namespace {

constexpr const char* kName = "augment";
constexpr int kMostChannels = 64;

struct Size {
  std::int64_t height, width, channels;

  __device__ std::int64_t pixels() const { return height * width; }
};

/// The running thread's share of an image: elements first, first + step, ...
struct Share {
  std::int64_t image, first, step;

  __device__ explicit Share(const Regions& regions)
      : image(blockIdx.x / regions.chunks),
        first(std::int64_t{blockIdx.x % regions.chunks} * kRegionThreads + threadIdx.x),
        step(std::int64_t{regions.chunks} * kRegionThreads) {}
};

/// Where a pixel comes from: between two rows and two columns.
struct Source {
  double x, y;

  __device__ Source(const AugmentDraws& draws, const Size& size, std::int64_t pixel) {
    const double middle_x = 0.5 * static_cast<double>(size.width - 1);
    const double middle_y = 0.5 * static_cast<double>(size.height - 1);
    const double dx = static_cast<double>(pixel % size.width) - middle_x;
    const double dy = static_cast<double>(pixel / size.width) - middle_y;
    x = fmin(fmax(middle_x + draws.xx * dx + draws.xy * dy, 0.0), 2 * middle_x);
    y = fmin(fmax(middle_y + draws.yx * dx + draws.yy * dy, 0.0), 2 * middle_y);
  }
};

__global__ void __launch_bounds__(kRegionThreads)
    augment_move(const float* images, const float* masks, const AugmentDraws* draws, Size size,
                 Regions regions, float* new_images, float* new_masks) {
  const Share share(regions);
  const AugmentDraws drawn = draws[share.image];
  const std::int64_t pixels = size.pixels(), elements = pixels * size.channels;
  const float* image = images + drawn.slice * elements;
  const float* mask = masks + drawn.slice * pixels;
  float* to = new_images + share.image * elements;
  for (std::int64_t pixel = share.first; pixel < pixels; pixel += share.step) {
    std::int64_t nearest = pixel;
    if (drawn.moves()) {
      const Source at(drawn, size, pixel);
      const auto x0 = static_cast<std::int64_t>(at.x), y0 = static_cast<std::int64_t>(at.y);
      const std::int64_t x1 = x0 + 1 < size.width ? x0 + 1 : x0;
      const std::int64_t y1 = y0 + 1 < size.height ? y0 + 1 : y0;
      const double u = at.x - static_cast<double>(x0), v = at.y - static_cast<double>(y0);
      const float* corners[4] = {image + (y0 * size.width + x0) * size.channels,
                                 image + (y0 * size.width + x1) * size.channels,
                                 image + (y1 * size.width + x0) * size.channels,
                                 image + (y1 * size.width + x1) * size.channels};
      for (std::int64_t c = 0; c < size.channels; ++c)
        to[pixel * size.channels + c] =
            static_cast<float>((1 - v) * ((1 - u) * corners[0][c] + u * corners[1][c]) +
                               v * ((1 - u) * corners[2][c] + u * corners[3][c]));
      nearest = llround(at.y) * size.width + llround(at.x);
    } else {
      for (std::int64_t c = 0; c < size.channels; ++c)
        to[pixel * size.channels + c] = image[pixel * size.channels + c];
    }
    new_masks[share.image * pixels + pixel] = mask[nearest];
  }
}

struct Range {
  float low, high;

  __device__ void add(const Range& other) {
    low = fminf(low, other.low);
    high = fmaxf(high, other.high);
  }
};

constexpr Range kNothing = {std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()};

/// Over a warp's lanes, for all of them; which order they come in does not matter.
__device__ Range warp_range(Range range) {
  for (unsigned by = 16; by > 0; by /= 2)
    range.add({__shfl_xor_sync(0xFFFFFFFFu, range.low, by),
               __shfl_xor_sync(0xFFFFFFFFu, range.high, by)});
  return range;
}

/// Each block's range of each channel: ranges[(image * channels + c) * chunks + chunk]. A warp
/// takes every eighth channel of the block's pixels.
__global__ void __launch_bounds__(kRegionThreads)
    augment_ranges(const float* new_images, Size size, Regions regions, Range* ranges) {
  const unsigned chunk = blockIdx.x % regions.chunks, image = blockIdx.x / regions.chunks;
  const unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const float* from = new_images + image * size.pixels() * size.channels;
  for (std::int64_t c = warp; c < size.channels; c += kRegionThreads / 32) {
    Range range = kNothing;
    for (std::int64_t pixel = std::int64_t{chunk} * 32 + lane; pixel < size.pixels();
         pixel += std::int64_t{regions.chunks} * 32) {
      const float value = from[pixel * size.channels + c];
      range.add({value, value});
    }
    range = warp_range(range);
    if (lane == 0) ranges[(image * size.channels + c) * regions.chunks + chunk] = range;
  }
}

struct Ranges {
  Range of[kMostChannels];
};

__global__ void __launch_bounds__(kRegionThreads)
    augment_gamma(const AugmentDraws* draws, const Range* ranges, Size size, Regions regions,
                  float* new_images) {
  auto& smem = gpu::shared<Ranges>();
  const Share share(regions);
  const double exponent = draws[share.image].exponent;
  if (exponent == 1) return;
  for (std::int64_t c = threadIdx.x / 32; c < size.channels; c += kRegionThreads / 32) {
    Range range = kNothing;
    for (unsigned chunk = threadIdx.x % 32; chunk < regions.chunks; chunk += 32)
      range.add(ranges[(share.image * size.channels + c) * regions.chunks + chunk]);
    range = warp_range(range);
    if (threadIdx.x % 32 == 0) smem.of[c] = range;
  }
  // Every channel's range is there before anybody reads it.
  __syncthreads();
  float* image = new_images + share.image * regions.elements;
  for (std::int64_t i = share.first; i < regions.elements; i += share.step) {
    const Range range = smem.of[i % size.channels];
    const double width = static_cast<double>(range.high) - range.low;
    if (width > 0)
      image[i] =
          static_cast<float>(range.low + width * pow((image[i] - range.low) / width, exponent));
  }
}

/// Sums of x - x0 and of its square.
struct Spread {
  double sum, squares;

  __device__ void operator+=(const Spread& other) {
    sum += other.sum;
    squares += other.squares;
  }
};

__global__ void __launch_bounds__(kRegionThreads)
    augment_spread(const float* new_images, Regions regions, Spread* partials) {
  auto& smem = gpu::shared<WarpValues<Spread>>();
  const Share share(regions);
  const float* image = new_images + share.image * regions.elements;
  const double first = *image;
  Spread spread{};
  for (std::int64_t i = share.first; i < regions.elements; i += share.step) {
    const double difference = image[i] - first;
    spread += {difference, difference * difference};
  }
  spread = block_sum(spread, smem);
  if (threadIdx.x == 0) partials[blockIdx.x] = spread;
}

__device__ double deviation(const Spread& spread, std::int64_t count) {
  const auto n = static_cast<double>(count);
  return sqrt(fmax(0.0, spread.squares - spread.sum * spread.sum / n) / n);
}

/// As Random::normal, with the device's logarithm and cosine.
__device__ double normal(const Random& random, std::uint64_t index) {
  const auto source = random.normal_source(index);
  return sqrt(-2.0 * log(source[0])) * cos(2.0 * std::numbers::pi * source[1]);
}

struct Deviation {
  double of_image;
};

__global__ void __launch_bounds__(kRegionThreads)
    augment_change(const AugmentDraws* draws, const Spread* partials, Regions regions,
                   float* new_images) {
  auto& smem = gpu::shared<Deviation>();
  const Share share(regions);
  if (threadIdx.x < 32) {
    const Spread spread = warp_total(partials + share.image * regions.chunks, regions.chunks);
    if (threadIdx.x == 0) smem.of_image = deviation(spread, regions.elements);
  }
  // The image's deviation is there before anybody uses it.
  __syncthreads();
  const AugmentDraws drawn = draws[share.image];
  const double offset = drawn.brightness * smem.of_image, strength = drawn.noise * smem.of_image;
  const Random noise(drawn.noise_key, kNoiseStream);
  float* image = new_images + share.image * regions.elements;
  for (std::int64_t i = share.first; i < regions.elements; i += share.step) {
    double change = offset;
    if (strength > 0) change += strength * normal(noise, static_cast<std::uint64_t>(i));
    image[i] = static_cast<float>(image[i] + change);
  }
}

}  // namespace

void augment_batch(KernelContext& context, const AugmentBatch& a) {
  require_dense(kName, a.images, a.masks, a.draws, a.new_images, a.new_masks);
  const Size size{a.new_images.shape[1], a.new_images.shape[2], a.new_images.shape[3]};
  require(size.channels <= kMostChannels || !a.gamma, kName, "gamma takes at most 64 channels");
  if (a.new_images.shape.numel() == 0) return;
  auto* images = a.new_images.as<float>();
  const auto* draws = reinterpret_cast<const AugmentDraws*>(a.draws.as<std::int64_t>());
  const Regions regions =
      cut_regions(context, kName, a.new_images.shape, Region::image, a.new_images.as<float>());
  const auto launch = [&](const char* name, std::size_t smem_bytes) {
    return LaunchConfig{.grid = regions.blocks(),
                        .block = kRegionThreads,
                        .smem_bytes = smem_bytes,
                        .stream = static_cast<cudaStream_t>(context.stream),
                        .name = name};
  };
  gpu::launch(augment_move, launch("augment_move", 0), a.images.as<float>(), a.masks.as<float>(),
              draws, size, regions, images, a.new_masks.as<float>());
  if (a.gamma) {
    auto* ranges = context.workspace.array<Range>(regions.blocks() * size.channels);
    gpu::launch(augment_ranges, launch("augment_ranges", 0), images, size, regions, ranges);
    gpu::launch(augment_gamma, launch("augment_gamma", sizeof(Ranges)), draws, ranges, size,
                regions, images);
  }
  if (!a.changes) return;
  auto* partials = context.workspace.array<Spread>(regions.blocks());
  gpu::launch(augment_spread, launch("augment_spread", sizeof(WarpValues<Spread>)), images, regions,
              partials);
  gpu::launch(augment_change, launch("augment_change", sizeof(Deviation)), draws, partials, regions,
              images);
}

}  // namespace glia::GLIA_GPU
