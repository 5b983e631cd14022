// Event files for TensorBoard. Why by hand: docs/adr/0008-tensorboard-by-hand.md
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

namespace glia {

/// A figure under a name; TensorBoard draws names with the same part before "/" side by side.
struct Scalar {
  std::string tag;
  double value = 0;
};

/// A new event file in a run's folder, `events.out.tfevents.<seconds>.glia`. It starts with the
/// mark of a session that begins at step 0, so that TensorBoard forgets what it has read of the run
/// before: write the whole history first.
class EventFile {
 public:
  /// Removes the event files that Glia left there earlier. Throws `Error` naming the file when it
  /// cannot be written.
  explicit EventFile(const std::filesystem::path& folder);

  /// Appends the figures of a step, stored as float32, and flushes them.
  void write(std::int64_t step, std::span<const Scalar> scalars);

  const std::filesystem::path& path() const { return path_; }

 private:
  void append(std::string_view event);

  std::filesystem::path path_;
  std::ofstream out_;
};

/// A record of TensorFlow's TFRecord format: length (8 bytes), its checksum (4), the data, its
/// checksum (4); little-endian, checksums masked.
std::string tfrecord(std::string_view data);

/// CRC-32C (Castagnoli; RFC 3720, B.4).
std::uint32_t crc32c(std::string_view data);

}  // namespace glia
