// Sums and affine maps a channel over the rows (pixels) of NHWC views: what the normalisations are
// made of. Rows fall into regions with statistics of their own: one region for batch norm, an image
// each for group norm. Images may be bf16; sums and coefficients are float.
#pragma once

#include <algorithm>

#include "kernels/api/context.h"
#include "kernels/cuda/strided.h"

namespace glia::GLIA_GPU {

/// The rows of each region, cut into chunks: blocks work on a chunk.
struct RowChunks {
  std::int64_t regions, rows, channels;  // `rows` of one region
  std::int64_t length;                   // rows of a chunk; the last one may have fewer
  unsigned chunks;                       // of one region, none of them empty

  __host__ __device__ std::int64_t begin(std::int64_t region, unsigned chunk) const {
    return region * rows + chunk * length;
  }
  __host__ __device__ std::int64_t size(unsigned chunk) const {
    const std::int64_t rest = rows - chunk * length;
    return rest < length ? rest : length;
  }
};

/// Sums of one pass, in the workspace: of channel c, region r and chunk k at
/// plane(which)[place(r, c) + k], so that those which are added up are neighbours.
struct ChunkSums {
  enum Plane { kShift, kFirst, kSecond, kPlanes };

  RowChunks cut;
  int pack;  // channels at once
  float* data;
  float* coefficients;  // room for those of channel_affine

  __host__ __device__ std::int64_t place(std::int64_t region, std::int64_t c) const {
    return (region * cut.channels + c) * cut.chunks;
  }
  __host__ __device__ float* plane(Plane which) const {
    return data + which * cut.regions * cut.channels * cut.chunks;
  }
};

/// Cuts the rows of tensors of the shape of x and reserves the workspace. `pack` is their
/// `row_pack`. The number of chunks is a function of shape, `pack` and GPU.
ChunkSums reserve_sums(KernelContext& context, std::int64_t regions, const ConstView& x, int pack);

/// Of each chunk: kShift = its first value s, kFirst = sum of x - s, kSecond = sum of (x - s)^2.
/// Taken about s because E[x^2] - E[x]^2 cancels; s is one of the values summed up, so their count
/// times the squared distance from s to the mean is at most count times the sum of squared
/// deviations.
void channel_moments(KernelContext& context, const ConstView& x, const ChunkSums& sums);

/// Of each chunk: kFirst = sum of dy, kSecond = sum of dy * (x - centre), `centre` [regions,
/// groups] being that of the channel's group. With a map (read_map.h) dy counts where that of x is
/// above its floor.
void channel_gradients(KernelContext& context, const ConstView& dy, const ConstView& x,
                       const ConstView& map, const float* centre, std::int64_t groups,
                       const ChunkSums& sums);

/// What channel_affine multiplies with: number `which` of channel c and region r is
/// coefficients[(r * kCoefficients + which) * channels + c].
enum Coefficient { kOfU, kOfV, kCentre, kConstant, kCoefficients };

/// y = kOfU * u + kOfV * (v - kCentre) + kConstant, or y += that. u or v may be empty, and their
/// coefficients are then not read. `coefficients` is 16-byte aligned.
void channel_affine(KernelContext& context, std::int64_t regions, const ConstView& u,
                    const ConstView& v, const View& y, Write write, const float* coefficients);

/// dx = kOfU * dz + kOfV * (x - kCentre) + kConstant of one region, where dz is dy where the map of
/// x is above its floor, else 0. dx may be the memory of dy.
void channel_affine_relu(KernelContext& context, const ConstView& dy, const ConstView& x,
                         const ConstView& map, const View& dx, const float* coefficients);

}  // namespace glia::GLIA_GPU
