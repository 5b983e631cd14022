// Importing NIfTI volumes.
#include <cmath>

#include "tests/import/workshop.h"

using namespace glia;

namespace {

/// A volume of 3 x 2 voxels in 4 slices, the first of them blank.
std::string volume(float first, int sform = 1) {
  std::vector<float> values(24);
  for (std::size_t i = 6; i < values.size(); ++i) values[i] = first + static_cast<float>(i);
  return nifti_file(
      {.dims = {3, 2, 4}, .sform = sform, .srow = {{{-1, 0, 0, 0}, {0, -2, 0, 0}, {0, 0, 3, 0}}}},
      bytes_of(values));
}

std::string label_volume(const std::vector<float>& some) {
  std::vector<float> values(24);
  std::copy(some.begin(), some.end(), values.begin() + 12);
  return nifti_file(
      {.dims = {3, 2, 4}, .sform = 1, .srow = {{{-1, 0, 0, 0}, {0, -2, 0, 0}, {0, 0, 3, 0}}}},
      bytes_of(values));
}

}  // namespace

TEST_CASE("import: volumes are sliced, channels stacked, blank slices left out", "[import]") {
  Workshop w;
  w.add("p1/a.nii", volume(100));
  w.add("p1/b.nii.gz", volume(200));
  w.add("p1/seg.nii", label_volume({0, 0, 4, 0, 2, 1}));
  w.config().names = {".", ".", {"b", "a"}, "seg"};
  w.config().mask.labels = {1, 4};
  const ImportSummary summary = w.run();
  CHECK(summary.slices == 3);
  CHECK(summary.blank == 1);
  CHECK(summary.with_tumour == 1);
  CHECK(summary.channels == 2);
  const Slice slice = w.slice("p1_2");
  CHECK(slice.image ==
        std::vector<float>{212, 112, 213, 113, 214, 114, 215, 115, 216, 116, 217, 117});
  CHECK(slice.mask == std::vector<float>{0, 0, 1, 0, 0, 1});
  CHECK_THAT(w.table(), ContainsSubstring("p1_2,p1,2,p1/b.nii.gz;p1/a.nii,p1/seg.nii,2,1\n"));
}

TEST_CASE("import: a mask stored the other way round is turned, one that lies elsewhere refused",
          "[import]") {
  Workshop w;
  w.config().names = {".", ".", {"img"}, "seg"};
  w.add("p/img.nii", volume(1));
  std::vector<float> labels(24);
  labels[0] = 1;  // the first voxel of the mask lies at the last slice and column of the image
  const NiftiSpec turned{
      .dims = {3, 2, 4}, .sform = 1, .srow = {{{1, 0, 0, -2}, {0, -2, 0, 0}, {0, 0, -3, 9}}}};
  w.add("p/seg.nii", nifti_file(turned, bytes_of(labels)));
  w.run();
  CHECK(w.slice("p_3").mask == std::vector<float>{0, 0, 1, 0, 0, 0});
  std::filesystem::remove_all(w.out());
  NiftiSpec shifted = turned;
  shifted.srow[2][3] = 12;
  w.add("p/seg.nii", nifti_file(shifted, bytes_of(labels)));
  CHECK_THAT(w.refusal(), ContainsSubstring("seg.nii: lies up to 3 mm away"));
  w.config().stack.as_stored = true;
  w.config().keep_blank = true;
  CHECK(w.run().slices == 4);
  CHECK(w.slice("p_0").mask == std::vector<float>{1, 0, 0, 0, 0, 0});
}

TEST_CASE("import: NaN in an image is a problem", "[import]") {
  Workshop w;
  std::vector<float> values(24, 1.0F);
  values[3] = std::nanf("");
  w.add("p/img.nii", nifti_file({.dims = {3, 2, 4}}, bytes_of(values)));
  w.add("p/seg.nii", nifti_file({.dims = {3, 2, 4}}, bytes_of(std::vector<float>(24))));
  w.config().names = {".", ".", {"img"}, "seg"};
  CHECK_THAT(w.refusal(), ContainsSubstring("img.nii: 1 of 24 values are NaN"));
}
