// A folder that appears whole or not at all.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

namespace glia {

/// A hidden folder beside `out`, to be filled and then published under that name. Its own name is
/// drawn at random, so that no two programs meet in one, wherever they run. It is locked while the
/// object lives and removed with it, and so are parents of `out` that were made for it, unless it
/// was published. What killed programs left beside `out` is removed by the next Staging there;
/// where a file system has no locks, such remains stay.
class Staging {
 public:
  /// Makes the folder, and the parents of `out` where they are missing. Throws `Error` with the
  /// system's reason.
  explicit Staging(const std::filesystem::path& out);
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  const std::filesystem::path& path() const { return path_; }

  /// Gives the folder its final name, once all of it is on the disk. Throws `Error` unless there is
  /// nothing of that name, or an empty folder.
  void publish();

  /// The same in place of the folder `out`, in one step. Of what lies there, the names in
  /// `replaced` go; other files stay. Throws `Error`, and changes nothing, when `out` has another
  /// folder than those (it could not be kept in the same step), and where a file system cannot swap
  /// folders.
  void publish_over(std::span<const char* const> replaced);

 private:
  std::filesystem::path out_, path_;
  std::vector<std::filesystem::path> made_;  // parents, the outermost first; gone if not published
  int lock_ = -1;                            // a descriptor of the folder
};

}  // namespace glia
