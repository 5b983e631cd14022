#include "apps/flags/memory_advice.h"

#include <CLI/CLI.hpp>

#include "tests/catch.h"

using namespace glia;

namespace {

/// Of a command with these flags, of which `given` has a value.
std::string advice(const std::vector<std::string>& flags, const std::string& given = "") {
  CLI::App app;
  CLI::App* command = app.add_subcommand("command", "");
  app.add_subcommand("another", "")->add_option("--base-width");
  for (const std::string& flag : flags) command->add_option(flag);
  std::vector<std::string> words{"command"};
  if (!given.empty()) words = {"1", given, "command"};  // the last first, as CLI11 wants them
  app.parse(words);
  return memory_advice(app);
}

}  // namespace

TEST_CASE("memory advice: names flags that the command has", "[cli]") {
  CHECK(advice({"--batch-size", "--base-width"}) == "use a smaller --batch-size or --base-width");
  CHECK(advice({"--batch-size"}) == "use a smaller --batch-size");
  CHECK(advice({"--batch-size", "--shape"}) == "use a smaller --batch-size");
  CHECK(advice({"--batch-size", "--shape"}, "--shape") == "use a smaller --shape");
  CHECK(advice({"--pad-to", "--resize"}, "--pad-to") == "use a smaller --pad-to");
  CHECK(advice({"--out"}) ==
        "free some, raise the limit (ulimit -v, ulimit -d), or choose smaller files");
}
