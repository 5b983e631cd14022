// NIfTI volumes, packed or not, their slices, and a mask in their place.
#include "engine/formats/nifti.h"
#include "engine/formats/volume_slices.h"
#include "tests/fuzz/feed.h"

using namespace glia;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  feed("name: ", [&] {
    const NiftiVolume volume = decode_nifti(view_of(data, size), "name");
    require(!mask_header(volume.header).empty());
    for (const SlicePlane plane : {SlicePlane::axial, SlicePlane::coronal, SlicePlane::sagittal}) {
      const VolumeSlices cut(volume.header, plane, false, "name");
      const std::int64_t voxels = cut.slices() * cut.height() * cut.width();
      require(std::ssize(volume.values) == voxels * volume.header.channels);
      for (const std::int64_t last :
           {cut.index(0, 0, 0), cut.index(cut.slices() - 1, 0, 0),
            cut.index(0, cut.height() - 1, 0),
            cut.index(cut.slices() - 1, cut.height() - 1, cut.width() - 1)})
        require(last >= 0 && last < voxels);
    }
  });
  return 0;
}
