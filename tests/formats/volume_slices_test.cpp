#include "engine/formats/volume_slices.h"

#include <algorithm>
#include <numeric>

#include "engine/formats/nifti.h"
#include "engine/formats/stack.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/formats/encode.h"
#include "tests/temp_folder.h"

using namespace glia;

namespace {

/// mm that a head of 2 x 3 x 4 voxels is long towards right, anterior, superior.
constexpr std::array<int, 3> kHead{2, 3, 4};
constexpr std::array<float, 3> kSpacing{1, 2, 5};

/// The value of the voxel `x` steps to the right, `y` to the front, `z` up.
float value_at(int x, int y, int z) {
  return static_cast<float>(100 * x + 10 * y + z);
}

/// The head stored with axis a running along the world's axis order[a], backwards where reversed.
struct Storage {
  std::array<std::size_t, 3> order;
  std::array<bool, 3> reversed;
};

std::string store(const Storage& storage) {
  NiftiSpec spec{.sform = 1};
  for (std::size_t a = 0; a < 3; ++a) {
    const std::size_t world = storage.order[a];
    spec.dims.push_back(kHead[world]);
    spec.srow[world][a] = storage.reversed[a] ? -kSpacing[world] : kSpacing[world];
    if (storage.reversed[a])
      spec.srow[world][3] = kSpacing[world] * static_cast<float>(kHead[world] - 1);
  }
  std::vector<float> values;
  std::array<int, 3> stored{}, place{};
  for (stored[2] = 0; stored[2] < spec.dims[2]; ++stored[2])
    for (stored[1] = 0; stored[1] < spec.dims[1]; ++stored[1])
      for (stored[0] = 0; stored[0] < spec.dims[0]; ++stored[0]) {
        for (std::size_t a = 0; a < 3; ++a) {
          const std::size_t world = storage.order[a];
          place[world] = storage.reversed[a] ? kHead[world] - 1 - stored[a] : stored[a];
        }
        values.push_back(value_at(place[0], place[1], place[2]));
      }
  return nifti_file(spec, bytes_of(values));
}

/// What a slice plane should show, from the world's own axes.
std::vector<float> expected(SlicePlane plane) {
  std::vector<float> values;
  const auto [right, front, up] = kHead;
  if (plane == SlicePlane::axial)
    for (int z = 0; z < up; ++z)
      for (int y = front - 1; y >= 0; --y)
        for (int x = right - 1; x >= 0; --x) values.push_back(value_at(x, y, z));
  if (plane == SlicePlane::coronal)
    for (int y = front - 1; y >= 0; --y)
      for (int z = up - 1; z >= 0; --z)
        for (int x = right - 1; x >= 0; --x) values.push_back(value_at(x, y, z));
  if (plane == SlicePlane::sagittal)
    for (int x = right - 1; x >= 0; --x)
      for (int z = up - 1; z >= 0; --z)
        for (int y = front - 1; y >= 0; --y) values.push_back(value_at(x, y, z));
  return values;
}

std::vector<Storage> all_storages() {
  std::vector<Storage> all;
  std::array<std::size_t, 3> order{0, 1, 2};
  do
    for (int bits = 0; bits < 8; ++bits)
      all.push_back({order, {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0}});
  while (std::next_permutation(order.begin(), order.end()));
  return all;
}

}  // namespace

TEST_CASE("volume: all 48 ways to store a head give the same slices and get their masks back",
          "[volume]") {
  const TempFolder folder;
  const auto path = folder.path() / "head.nii";
  std::optional<Stack> first;
  for (const Storage& storage : all_storages())
    for (SlicePlane plane : {SlicePlane::axial, SlicePlane::coronal, SlicePlane::sagittal}) {
      write_bytes(path, store(storage));
      const Stack stack = read_stack(path, {.plane = plane});
      REQUIRE(stack.values == expected(plane));

      const NiftiVolume volume = read_nifti(path);
      const VolumeSlices cut(volume.header, plane, false, "f");
      std::vector<std::uint8_t> mask;
      for (float value : stack.values) mask.push_back(static_cast<std::uint8_t>(value));
      const std::vector<std::uint8_t> stored = cut.to_stored_order<std::uint8_t>(mask);
      for (std::size_t i = 0; i < stored.size(); ++i)
        REQUIRE(stored[i] == static_cast<std::uint8_t>(volume.values[i]));

      if (plane != SlicePlane::axial) continue;
      if (!first) first = stack;
      CHECK(overlay_problem(*first, stack, "other").empty());
      CHECK(stack.row_spacing == Approx(2));
      CHECK(stack.column_spacing == Approx(1));
    }
}

TEST_CASE("volume: cut as stored", "[volume]") {
  const TempFolder folder;
  const auto path = folder.path() / "head.nii";
  const std::string file = store({{2, 0, 1}, {true, false, true}});
  write_bytes(path, file);
  const Stack stack = read_stack(path, {.as_stored = true});
  CHECK(stack.values == read_nifti(path).values);
  CHECK(!stack.corners);

  NiftiSpec silent{.dims = {2, 3, 4}};
  write_bytes(path, nifti_file(silent, std::string(96, '\0')));
  CHECK(read_stack(path, {}).width == 2);
}

TEST_CASE("volume: a mask that lies elsewhere, or in an unknown place, is refused", "[volume]") {
  const TempFolder folder;
  const auto write = [&](const char* name, const NiftiSpec& spec) {
    write_bytes(folder.path() / name, nifti_file(spec, std::string(96, '\0')));
    return read_stack(folder.path() / name, {});
  };
  NiftiSpec spec{
      .dims = {2, 3, 4}, .sform = 1, .srow = {{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}}};
  const Stack image = write("image.nii", spec);
  spec.srow[0][3] = 0.05F;
  CHECK(overlay_problem(image, write("mask.nii", spec), "m").empty());
  spec.srow[0][3] = 3;
  CHECK_THAT(overlay_problem(image, write("mask.nii", spec), "m"),
             ContainsSubstring("m: lies up to 3 mm away from its image"));
  spec.sform = 0;
  CHECK_THAT(overlay_problem(image, write("mask.nii", spec), "m"),
             ContainsSubstring("m: says nothing of how it lies in space, its image does"));
  spec.dims = {3, 2, 4};
  CHECK_THAT(overlay_problem(image, write("mask.nii", spec), "m"),
             ContainsSubstring("m: 2 x 3 pixels in 4 slices, its image has 3 x 2 in 4"));
}

TEST_CASE("volume: an orientation that is no rotation needs --orientation stored", "[volume]") {
  NiftiSpec spec{
      .dims = {2, 3, 4}, .sform = 1, .srow = {{{1, 1, 0, 0}, {1, 1, 0, 0}, {0, 0, 1, 0}}}};
  const NiftiHeader header = decode_nifti(nifti_file(spec, std::string(96, '\0')), "f").header;
  CHECK_THAT(error_of([&] { VolumeSlices(header, SlicePlane::axial, false, "f"); }),
             ContainsSubstring("f: a NIfTI header whose orientation is no rotation"));
  CHECK(VolumeSlices(header, SlicePlane::axial, true, "f").slices() == 4);
}
