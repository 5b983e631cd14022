#include "engine/formats/stack.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "engine/base/check.h"
#include "engine/base/finite.h"
#include "engine/formats/exif.h"
#include "engine/formats/nifti.h"
#include "engine/formats/npy.h"
#include "engine/formats/raster.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

constexpr double kMaxShift = 0.1;  // of the way from voxel to voxel

Stack from_raster(const fs::path& path, const StackOptions& options) {
  Raster raster = read_raster(path);
  Stack stack;
  if (raster.orientation != 1 && !options.as_stored) {
    stack.turned = true;
    raster.kind += fmt::format(", turned upright (EXIF or XMP orientation {})", raster.orientation);
    turn_upright(raster);
  }
  stack.height = raster.height;
  stack.width = raster.width;
  stack.channels = raster.channels;
  stack.alpha = raster.alpha;
  stack.lossy = raster.lossy;
  stack.white_is_zero = raster.white_is_zero;
  stack.bits = raster.bits;
  stack.most.assign(1, raster.most);
  stack.kind = std::move(raster.kind);
  stack.values = std::move(raster.values);
  stack.indices = std::move(raster.indices);
  return stack;
}

Stack from_npy(const fs::path& path) {
  NpyArray array = read_npy(path);
  const std::vector<std::int64_t>& shape = array.info.shape;
  check((shape.size() == 2 || shape.size() == 3) && !array.values.empty(),
        "{}: {} is no slice; expected [height, width] or [height, width, channels]", path.string(),
        array.info.str());
  check(!looks_channels_first(shape), "{}: {}", path.string(), channels_first_problem(shape));
  Stack stack;
  stack.height = shape[0];
  stack.width = shape[1];
  stack.channels = shape.size() == 3 ? shape[2] : 1;
  stack.kind = array.info.str() + " .npy";
  stack.values = std::move(array.values);
  return stack;
}

Stack from_nifti(const fs::path& path, const StackOptions& options) {
  const NiftiVolume volume = read_nifti(path);
  const VolumeSlices cut(volume.header, options.plane, options.as_stored, path.string());
  Stack stack;
  stack.slices = cut.slices();
  stack.height = cut.height();
  stack.width = cut.width();
  stack.channels = volume.header.channels;
  stack.kind = volume.header.kind;
  stack.row_spacing = cut.row_spacing();
  stack.column_spacing = cut.column_spacing();
  stack.corners = cut.corners();
  if (!volume.header.doubt.empty())
    stack.doubts.push_back(fmt::format("{}: {}", path.string(), volume.header.doubt));
  stack.values.resize(volume.values.size());
  const std::int64_t voxels = stack.slices * stack.height * stack.width;
  float* to = stack.values.data();
  for (std::int64_t slice = 0; slice < stack.slices; ++slice)
    for (std::int64_t row = 0; row < stack.height; ++row)
      for (std::int64_t column = 0; column < stack.width; ++column)
        for (std::int64_t c = 0; c < stack.channels; ++c)
          *to++ = volume.values[c * voxels + cut.index(slice, row, column)];
  return stack;
}

void take_channels(Stack& stack, const std::vector<std::int64_t>& chosen, const fs::path& path) {
  stack.values = glia::take_channels(stack.values, stack.channels, chosen, path);
  stack.channels = std::ssize(chosen);
  stack.alpha = false;
}

bool is_opaque(const Stack& stack) {
  for (std::size_t i = stack.channels - 1; i < stack.values.size(); i += stack.channels)
    if (stack.values[i] != stack.most.front()) return false;
  return true;
}

std::vector<std::int64_t> without_alpha(const Stack& stack) {
  std::vector<std::int64_t> rest;
  for (std::int64_t c = 0; c + 1 < stack.channels; ++c) rest.push_back(c);
  return rest;
}

void drop_opaque_alpha(Stack& stack, const fs::path& path) {
  if (!stack.alpha) return;
  const std::vector<std::int64_t> rest = without_alpha(stack);
  check(is_opaque(stack),
        "{}: the alpha channel is not opaque everywhere; --take-channels {} leaves it out, "
        "--take-channels {},{} takes it as one more channel",
        path.string(), fmt::join(rest, ","), fmt::join(rest, ","), rest.size());
  take_channels(stack, rest, path);
}

/// Pictures of 1, 2 or 4 bits are as bright as others: 15 of 15 is white like 255 of 255.
void stretch_small_depth(Stack& stack) {
  if (stack.bits == 0 || stack.bits >= 8) return;
  const float factor = 255 / stack.most.front();  // a whole number for these depths
  for (float& value : stack.values) value *= factor;
  stack.bits = 8;
  stack.most.assign(1, 255);
}

void check_finite(const Stack& stack, const fs::path& path) {
  if (const auto bad = find_not_finite(stack.values))
    fail("{}: {} of {} values are NaN or infinite; replace them, for example by 0", path.string(),
         bad->count, stack.values.size());
}

/// Puts the channels of `more` after those of `stack`.
void append_channels(Stack& stack, const Stack& more) {
  std::vector<float> both;
  both.reserve(stack.values.size() + more.values.size());
  const float *a = stack.values.data(), *b = more.values.data();
  for (std::size_t pixel = 0; pixel < stack.values.size() / stack.channels; ++pixel) {
    both.insert(both.end(), a, a + stack.channels);
    both.insert(both.end(), b, b + more.channels);
    a += stack.channels;
    b += more.channels;
  }
  stack.values = std::move(both);
  stack.channels += more.channels;
  stack.most.insert(stack.most.end(), more.most.begin(), more.most.end());
  stack.doubts.insert(stack.doubts.end(), more.doubts.begin(), more.doubts.end());
}

/// Whether a pixel has channels that differ, alpha aside.
bool has_colour(const Stack& mask) {
  const std::int64_t colours = mask.channels - (mask.alpha ? 1 : 0);
  for (std::size_t pixel = 0; pixel < mask.values.size(); pixel += mask.channels)
    for (std::int64_t c = 1; c < colours; ++c)
      if (mask.values[pixel + c] != mask.values[pixel]) return true;
  return false;
}

/// Whether alpha is nothing but the mask once more: clear where the mask is 0 and only there.
bool alpha_is_mask(const Stack& mask) {
  for (std::size_t pixel = 0; pixel < mask.values.size(); pixel += mask.channels)
    if ((mask.values[pixel] > 0) != (mask.values[pixel + mask.channels - 1] > 0)) return false;
  return true;
}

/// The places in the palette in place of the colours. Black is where nothing was drawn: when it is
/// not the first colour, the places say something else than the picture.
void take_indices(Stack& mask, const fs::path& path) {
  for (std::size_t i = 0; i < mask.indices.size(); ++i) {
    const auto pixel = mask.values.begin() + static_cast<std::ptrdiff_t>(i * mask.channels);
    check(
        mask.indices[i] == 0 || pixel[0] != 0 || pixel[1] != 0 || pixel[2] != 0,
        "{}: a mask with a palette in which black is colour {}, not 0; which is background cannot "
        "be told: export it with one grey value a pixel",
        path.string(), mask.indices[i]);
  }
  mask.values = std::move(mask.indices);
  mask.channels = 1;
  mask.alpha = false;
}

std::string channel_choices(const Stack& mask) {
  std::string choices = "0";
  for (std::int64_t c = 1; c < mask.channels; ++c)
    choices += fmt::format("{} {}", c + 1 == mask.channels ? " or" : ",", c);
  return choices;
}

double distance(const WorldPoint& a, const WorldPoint& b) {
  return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

}  // namespace

bool is_stack_name(const fs::path& path) {
  return is_raster_name(path) || is_nifti_name(path) || path.extension() == ".npy";
}

std::string stem_of(const fs::path& path) {
  // ".nii.gz" is one ending of two parts.
  const bool two_parts = is_nifti_name(path) && is_nifti_name(path.stem());
  return (two_parts ? path.stem() : path).stem().string();
}

std::string id_in_volume(const std::string& id, std::int64_t number, std::int64_t slices) {
  return fmt::format("{}_{:0{}}", id, number, std::to_string(slices - 1).size());
}

Stack read_stack(const fs::path& path, const StackOptions& options) {
  if (is_nifti_name(path)) return from_nifti(path, options);
  if (path.extension() == ".npy") return from_npy(path);
  check(is_raster_name(path),
        "{}: not a format that Glia reads; expected .png, .tif, .jpg, .npy, .nii or .nii.gz",
        path.string());
  return from_raster(path, options);
}

std::vector<float> take_channels(const std::vector<float>& pixels, std::int64_t channels,
                                 const std::vector<std::int64_t>& chosen, const fs::path& file) {
  for (const std::int64_t c : chosen)
    check(c >= 0 && c < channels, "{}: --take-channels {}: there are the channels 0 to {}",
          file.string(), c, channels - 1);
  std::vector<float> taken;
  taken.reserve(pixels.size() / channels * chosen.size());
  for (std::size_t pixel = 0; pixel < pixels.size(); pixel += channels)
    for (const std::int64_t c : chosen) taken.push_back(pixels[pixel + c]);
  return taken;
}

Stack read_image(const std::vector<fs::path>& files, const StackOptions& options) {
  Stack image;
  for (const fs::path& file : files) {
    Stack part = read_stack(file, options);
    check_finite(part, file);
    if (options.take_channels.empty()) drop_opaque_alpha(part, file);
    stretch_small_depth(part);
    if (image.values.empty()) {
      image = std::move(part);
      continue;
    }
    const std::string problem = overlay_problem(image, part, file);
    check(problem.empty(), "{}", problem);
    append_channels(image, part);
  }
  if (!options.take_channels.empty()) take_channels(image, options.take_channels, files.front());
  return image;
}

Stack read_mask_stack(const fs::path& path, const StackOptions& options) {
  Stack mask = read_stack(path, options);
  check(!mask.lossy,
        "{}: a mask with lossy compression ({}), whose values are no longer those that were drawn; "
        "export it as PNG, TIFF, .npy or NIfTI",
        path.string(), mask.kind);
  if (options.mask_channel && mask.channels > 1) {
    check(*options.mask_channel >= 0 && *options.mask_channel < mask.channels,
          "{}: --mask-channel {}: there are the channels 0 to {}", path.string(),
          *options.mask_channel, mask.channels - 1);
    take_channels(mask, {*options.mask_channel}, path);
  }
  if (mask.channels == 1) return mask;
  const bool colour = has_colour(mask);
  if (colour && !mask.indices.empty()) {
    take_indices(mask, path);
    return mask;
  }
  check(!colour,
        "{}: a mask with {} channels that differ ({}); --mask-channel {} takes that one, or export "
        "it with one value a pixel",
        path.string(), mask.channels, mask.kind, channel_choices(mask));
  check(
      !mask.alpha || is_opaque(mask) || alpha_is_mask(mask),
      "{}: a mask whose alpha channel is neither opaque nor the mask itself ({}); --mask-channel 0 "
      "takes the mask without it, --mask-channel {} takes alpha as the mask",
      path.string(), mask.kind, mask.channels - 1);
  take_channels(mask, {0}, path);
  return mask;
}

bool is_blank(std::span<const float> slice, std::int64_t channels) {
  for (std::size_t i = channels; i < slice.size(); ++i)
    if (slice[i] != slice[i - channels]) return false;
  return true;
}

std::string overlay_problem(const Stack& image, const Stack& other, const fs::path& file) {
  const bool quarter =
      image.turned != other.turned && image.height == other.width && image.width == other.height;
  if (quarter && image.height != image.width)
    return fmt::format(
        "{}: {} x {} pixels, its image has {} x {}: the {} was turned upright as its EXIF or XMP "
        "orientation says, and the {} says none; if both were drawn on the pixels as they are "
        "stored, pass --orientation stored, else export both upright",
        file.string(), other.height, other.width, image.height, image.width,
        image.turned ? "image" : "file", image.turned ? "file" : "image");
  if (image.slices != other.slices || image.height != other.height || image.width != other.width)
    return fmt::format(
        "{}: {} x {} pixels in {} slices, its image has {} x {} in {}; the files of a case must "
        "have one size: resample it",
        file.string(), other.height, other.width, other.slices, image.height, image.width,
        image.slices);
  if (image.corners.has_value() != other.corners.has_value())
    return fmt::format(
        "{}: says {} of how it lies in space, its image {}; give both the same header, or pass "
        "--orientation stored if their voxels are in the same order",
        file.string(), other.corners ? "something" : "nothing",
        image.corners ? "does" : "does not");
  if (!image.corners) return {};
  double shift = 0, step = 1e300;
  for (std::size_t i = 0; i < 8; ++i)
    shift = std::max(shift, distance((*image.corners)[i], (*other.corners)[i]));
  for (double spacing : {image.row_spacing, image.column_spacing}) step = std::min(step, spacing);
  if (shift <= kMaxShift * step) return {};
  return fmt::format(
      "{}: lies up to {:.3g} mm away from its image; resample it to the image's grid, or pass "
      "--orientation stored if only its header is wrong",
      file.string(), shift);
}

}  // namespace glia
