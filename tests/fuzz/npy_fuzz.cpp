// .npy arrays.
#include "engine/formats/npy.h"
#include "tests/fuzz/feed.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  glia::feed("name: ", [&] {
    const glia::NpyArray array = glia::decode_npy(glia::view_of(data, size), "name");
    glia::require(std::ssize(array.values) == array.info.numel());
  });
  return 0;
}
