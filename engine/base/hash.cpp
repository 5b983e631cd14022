#include "engine/base/hash.h"

#include <xxhash.h>

#include <fstream>
#include <memory>
#include <vector>

#include "engine/base/check.h"

namespace glia {

namespace {

std::string hexadecimal(XXH128_hash_t hash) {
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace

std::string hash_text(std::string_view text) {
  return hexadecimal(XXH3_128bits(text.data(), text.size()));
}

std::string hash_file(const std::filesystem::path& path) {
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(),
                                                                       &XXH3_freeState);
  XXH3_128bits_reset(state.get());
  std::ifstream in(path, std::ios::binary);
  std::vector<char> buffer(std::size_t{1} << 18);
  while (in.good()) {
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    XXH3_128bits_update(state.get(), buffer.data(), static_cast<std::size_t>(in.gcount()));
  }
  check(in.eof(), "{}: cannot be read; check that it exists and its permissions", path.string());
  return hexadecimal(XXH3_128bits_digest(state.get()));
}

}  // namespace glia
