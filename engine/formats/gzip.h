// gzip streams (RFC 1952), through zlib.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace glia {

/// One byte of a gzip file becomes no more than this many.
inline constexpr std::size_t kMaxGzipRatio = 1032;

inline bool is_gzip(std::string_view bytes) {
  return bytes.starts_with("\x1F\x8B");
}

/// The first `count` bytes that `bytes` expands to, or all when there are fewer. Throws `Error`,
/// led by `name`, when the stream is damaged up to there.
std::string gunzip_start(std::string_view bytes, std::size_t count, const std::string& name);

/// All of them, several streams one after the other included, and the checksums hold. Throws
/// `Error`, led by `name`, on damage, and when there are more than `limit` bytes.
std::string gunzip(std::string_view bytes, std::size_t limit, const std::string& name);

/// The opposite; the same bytes in, the same bytes out.
std::string gzip(std::string_view bytes);

}  // namespace glia
