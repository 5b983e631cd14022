// Flips, brightness and noise for a batch: kernels/cuda/augment.h.
//
// Work: kernels/cuda/regions.h, an image a region, 256 threads a block. Where brightness or noise
// is asked for, a first launch adds up each image's values in double, relative to its first one: no
// value of n lies more than sqrt(n) deviations from the mean, so E[(x - x0)^2] - E[x - x0]^2 loses
// at most the digits of n, whatever the data's scale. The second launch writes: warp 0 of each
// block adds up the image's partial sums in order, thread 0 makes the image's draws. Shared memory:
// 16 bytes a warp (512), then one `Draws` (32).
#include "engine/base/rng.h"
#include "kernels/cuda/augment.h"
#include "kernels/cuda/regions.h"

namespace glia::GLIA_GPU {
namespace {

// Where engine/data/augment.cpp draws; tests/cuda/augment_test.cpp holds the two together.
enum Draw : std::uint64_t { kFlipX = 0, kFlipY = 1, kBrightness = 5 };
enum Stream : std::uint64_t { kParameters = 0, kNoise = 1 };

/// Sums of x - x0 and of its square.
struct Spread {
  double sum, squares;

  __device__ void operator+=(const Spread& other) {
    sum += other.sum;
    squares += other.squares;
  }
};

struct Strengths {
  std::uint64_t seed;
  double noise, brightness;
  bool flip_x, flip_y;
};

struct Size {
  std::int64_t height, width, channels;
};

/// What is drawn once an image.
struct Draws {
  std::uint64_t key;
  double offset, noise;  // absolute
  bool flip_x, flip_y;
};

__global__ void __launch_bounds__(kRegionThreads)
    augment_spread(const float* images, Regions regions, Spread* partials) {
  auto& smem = gpu::shared<WarpValues<Spread>>();
  const float* image = images + blockIdx.x / regions.chunks * regions.elements;
  const double first = *image;
  Spread spread{};
  const std::int64_t step = std::int64_t{regions.chunks} * kRegionThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x % regions.chunks} * kRegionThreads + threadIdx.x;
       i < regions.elements; i += step) {
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

__device__ Draws draw(const Strengths& strengths, const std::int64_t* place, double scale) {
  const auto words = philox(strengths.seed, static_cast<std::uint64_t>(place[0]),
                            static_cast<std::uint64_t>(place[1]));
  const std::uint64_t key = std::uint64_t{words[1]} << 32 | words[0];
  const Random random(key, kParameters);
  return {.key = key,
          .offset = strengths.brightness * scale * (2 * random.uniform(kBrightness) - 1),
          .noise = strengths.noise * scale,
          .flip_x = strengths.flip_x && random.uniform(kFlipX) < 0.5,
          .flip_y = strengths.flip_y && random.uniform(kFlipY) < 0.5};
}

/// As Random::normal, with the device's logarithm and cosine.
__device__ double normal(const Random& random, std::uint64_t index) {
  const auto source = random.normal_source(index);
  return sqrt(-2.0 * log(source[0])) * cos(2.0 * std::numbers::pi * source[1]);
}

/// The pixel of the old image that comes to `pixel` of the new one.
__device__ std::int64_t source_pixel(std::int64_t pixel, const Size& size, const Draws& draws) {
  const std::int64_t row = pixel / size.width, column = pixel % size.width;
  return (draws.flip_y ? size.height - 1 - row : row) * size.width +
         (draws.flip_x ? size.width - 1 - column : column);
}

__global__ void __launch_bounds__(kRegionThreads)
    augment_apply(const float* images, const float* masks, float* new_images, float* new_masks,
                  const std::int64_t* places, Strengths strengths, Size size, Regions regions,
                  const Spread* partials) {
  auto& smem = gpu::shared<Draws>();
  const std::int64_t image = blockIdx.x / regions.chunks;
  if (threadIdx.x < 32) {
    Spread spread{};
    if (partials) spread = warp_total(partials + image * regions.chunks, regions.chunks);
    if (threadIdx.x == 0)
      smem = draw(strengths, places + 2 * image, deviation(spread, regions.elements));
  }
  // The image's draws are there before anybody uses them.
  __syncthreads();
  const Draws draws = smem;
  const Random noise(draws.key, kNoise);
  const std::int64_t thread =
      std::int64_t{blockIdx.x % regions.chunks} * kRegionThreads + threadIdx.x;
  const std::int64_t step = std::int64_t{regions.chunks} * kRegionThreads;

  const float* from = images + image * regions.elements;
  float* to = new_images + image * regions.elements;
  for (std::int64_t i = thread; i < regions.elements; i += step) {
    const std::int64_t channel = i % size.channels;
    const float value =
        from[source_pixel(i / size.channels, size, draws) * size.channels + channel];
    double change = draws.offset;
    if (draws.noise > 0) change += draws.noise * normal(noise, static_cast<std::uint64_t>(i));
    to[i] = static_cast<float>(value + change);
  }
  if (!masks) return;
  const std::int64_t pixels = size.height * size.width;
  for (std::int64_t i = thread; i < pixels; i += step)
    new_masks[image * pixels + i] = masks[image * pixels + source_pixel(i, size, draws)];
}

}  // namespace

void augment(KernelContext& context, const DeviceAugment& a) {
  require_dense(DeviceAugment::kName, a.images, a.new_images);
  if (a.masks) require_dense(DeviceAugment::kName, a.masks, a.new_masks);
  if (a.images.shape.numel() == 0) return;
  const auto* images = a.images.as<float>();
  const Regions regions =
      cut_regions(context, DeviceAugment::kName, a.images.shape, Region::image, images);
  const auto stream = static_cast<cudaStream_t>(context.stream);
  Spread* partials = nullptr;
  if (a.noise > 0 || a.brightness > 0) {
    partials = context.workspace.array<Spread>(regions.blocks());
    gpu::launch(augment_spread,
                {.grid = regions.blocks(),
                 .block = kRegionThreads,
                 .smem_bytes = sizeof(WarpValues<Spread>),
                 .stream = stream,
                 .name = "augment_spread"},
                images, regions, partials);
  }
  const Strengths strengths{.seed = a.seed,
                            .noise = a.noise,
                            .brightness = a.brightness,
                            .flip_x = a.flip_horizontal,
                            .flip_y = a.flip_vertical};
  const Size size{a.images.shape[1], a.images.shape[2], a.images.shape[3]};
  gpu::launch(augment_apply,
              {.grid = regions.blocks(),
               .block = kRegionThreads,
               .smem_bytes = sizeof(Draws),
               .stream = stream,
               .name = "augment_apply"},
              images, a.masks.as<float>(), a.new_images.as<float>(), a.new_masks.as<float>(),
              a.places.as<std::int64_t>(), strengths, size, regions, partials);
}

}  // namespace glia::GLIA_GPU
