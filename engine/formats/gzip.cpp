#include "engine/formats/gzip.h"

#include <zlib.h>

#include <algorithm>

#include "engine/base/check.h"

namespace glia {

namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib's way to ask for a gzip header and its checksum
constexpr std::size_t kPiece = std::size_t{1} << 30;  // zlib counts in 32 bits

/// Expands one stream after the other.
class Inflater {
 public:
  Inflater(std::string_view bytes, const std::string& name) : rest_(bytes), name_(name) {
    check(inflateInit2(&stream_, kGzipWindow) == Z_OK, "{}: out of memory", name_);
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Fills `to` as far as there is something; returns the number of bytes.
  std::size_t read(char* to, std::size_t count) {
    std::size_t done = 0;
    while (done < count && !ended_) {
      const std::size_t given = std::min(rest_.size(), kPiece);
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest_.data()));
      stream_.avail_in = static_cast<uInt>(given);
      stream_.next_out = reinterpret_cast<Bytef*>(to + done);
      stream_.avail_out = static_cast<uInt>(std::min(count - done, kPiece));
      const uInt room = stream_.avail_out;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      rest_.remove_prefix(given - stream_.avail_in);
      done += room - stream_.avail_out;
      if (status == Z_STREAM_END) {
        ended_ = !is_gzip(rest_);
        if (!ended_) inflateReset(&stream_);
      } else {
        check(status == Z_OK, "{}: damaged gzip file: {}; copy it again", name_,
              stream_.msg != nullptr ? stream_.msg : "it ends too early");
      }
    }
    return done;
  }

  /// What has not been expanded yet.
  std::size_t rest() const { return rest_.size(); }

 private:
  std::string_view rest_;
  const std::string& name_;
  z_stream stream_{};
  bool ended_ = false;
};

}  // namespace

std::string gunzip_start(std::string_view bytes, std::size_t count, const std::string& name) {
  std::string start(count, '\0');
  start.resize(Inflater(bytes, name).read(start.data(), count));
  return start;
}

std::string gunzip(std::string_view bytes, std::size_t limit, const std::string& name) {
  Inflater inflater(bytes, name);
  std::string all(limit, '\0');
  all.resize(inflater.read(all.data(), limit));
  // Asking for one byte more reads the checksum at the end of a stream of just `limit` bytes.
  char extra;
  check(inflater.read(&extra, 1) == 0,
        "{}: expands to more than the {} bytes that it should have; copy it again", name, limit);
  check(inflater.rest() == 0,
        "{}: {} bytes follow the end of its packed data, as the file of two that ran into each "
        "other has; copy it again",
        name, inflater.rest());
  return all;
}

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  constexpr int kMemory = 8;
  check(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemory,
                     Z_DEFAULT_STRATEGY) == Z_OK,
        "gzip: out of memory");
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  std::size_t taken = 0, written = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    const std::size_t given = std::min(bytes.size() - taken, kPiece);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + taken));
    stream.avail_in = static_cast<uInt>(given);
    stream.next_out = reinterpret_cast<Bytef*>(packed.data() + written);
    stream.avail_out = static_cast<uInt>(std::min(packed.size() - written, kPiece));
    const uInt room = stream.avail_out;
    status = deflate(&stream, taken + given == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
    taken += given - stream.avail_in;
    written += room - stream.avail_out;
  }
  deflateEnd(&stream);
  check(status == Z_STREAM_END, "gzip: cannot compress {} bytes", bytes.size());
  packed.resize(written);
  return packed;
}

}  // namespace glia
