// What is wrong with many files: all of it is counted, the first few of each kind are told.
#pragma once

#include <string>
#include <vector>

namespace glia {

inline constexpr const char* kAllProblems = "--all-problems";
inline constexpr const char* kAllProblemsHelp =
    "Name every file with a problem, not only the first five of a kind";

class Problems {
 public:
  /// `text` is led by the file. `kind` says in the plural what is counted: "images without a mask".
  /// A line feed, which a file's name may hold, is written out.
  void add(const std::string& kind, const std::string& text);
  void add(const Problems& more);

  bool empty() const { return count_ == 0; }
  std::size_t count() const { return count_; }
  /// A line each, in the order of their kinds' first: at most `few` of a kind, then how many more.
  std::vector<std::string> lines(std::size_t few = 5) const;
  /// The same below each other, each with two blanks in front; `all` of them, or the first few and
  /// kAllProblems, which the command then has, as the flag that shows the rest.
  std::string text(bool all) const;

 private:
  struct Kind {
    std::string name;
    std::vector<std::string> texts;
  };
  std::vector<Kind> kinds_;
  std::size_t count_ = 0;
};

}  // namespace glia
