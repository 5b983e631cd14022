// The flags of one command as flags of another, which hands them on.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace glia {

class PassedFlags {
 public:
  /// Offers in `to` every flag of `from` that `to` does not have yet, except `without` (names
  /// without dashes). Values are not looked at. Both must outlive this.
  void add(CLI::App& to, const CLI::App& from, const std::vector<std::string>& without);

  /// The flags that were given, by name without dashes; "" for one without a value.
  std::map<std::string, std::string> given() const;

 private:
  std::map<std::string, const CLI::Option*> options_;
};

/// `--name value --flag`: what a command line says of them.
std::vector<std::string> to_words(const std::map<std::string, std::string>& flags);

}  // namespace glia
