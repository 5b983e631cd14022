// What is said where the shell's limits leave too little memory, and that it helps.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "tests/cli/advice.h"
#include "tests/cli/pictures.h"

using namespace glia;
using namespace glia::advice;

namespace {

namespace fs = std::filesystem;

/// A command under `ulimit`.
Outcome limited(const std::string& limit, const Words& words) {
  std::string line = "ulimit " + limit + " && \"$GLIA\"";
  for (const std::string& word : words) line += " '" + word + "'";
  return run_shell(line);
}

void refused_under(const std::string& limit, const Words& words, const std::string& text) {
  const Outcome outcome = limited(limit, words);
  CAPTURE(limit, words, outcome.output);
  CHECK(outcome.code == 1);
  CHECK(contains(outcome, text));
  CHECK_FALSE(contains(outcome, "--batch-size"));
}

void works_under(const std::string& limit, const Words& words) {
  const Outcome outcome = limited(limit, words);
  CAPTURE(limit, words, outcome.output);
  CHECK(outcome.code == 0);
}

}  // namespace

TEST_CASE("memory: sizes of an import step are judged before memory is asked for",
          "[cli][advice]") {
  const Pictures pictures;
  const std::vector<std::uint16_t> colours(16 * 16 * 3, 9);
  pictures.add_pair("p/s", 1);
  pictures.add("p/s.png", png_file({.height = 16, .width = 16, .channels = 3}, colours));
  const Words import = pictures.import(pictures.path("out"));
  for (const std::string flag : {"--pad-to", "--resize"}) {
    CAPTURE(flag);
    refused_under("-v 1000000", with(import, {flag, "60000x60000"}),
                  flag + ": slices of 60000 x 60000 take 13733 MiB or more each, and ");
    refused_under("-v 1000000", with(import, {flag, "60000x60000"}),
                  fmt::format("under ulimit -v of 977 MiB; use a smaller {}, or raise", flag));
    // One channel would fit, three do not.
    refused_under("-v 1000000", with(import, {flag, "9000x9000"}),
                  "s.png: there is not enough memory for its slices of 9000 x 9000; use a "
                  "smaller " +
                      flag + ", or raise the limit");
    CHECK_FALSE(fs::exists(pictures.path("out")));
    works_under("-v 1000000", with(import, {flag, "64x64"}));
    fs::remove_all(pictures.path("out"));
  }
}

TEST_CASE("memory: predict, which has no flags for it, says what helps", "[cli][advice]") {
  const Network w;
  const Words predict = w.on("predict", "slices/0_img.npy", "out", {"--threads", "1"});
  int told = 0;  // how often under limits that leave it too little, which differ by machine
  for (int kib = 2000; kib <= 20000; kib += 1000) {
    const Outcome outcome = limited(fmt::format("-d {}", kib), predict);
    CAPTURE(kib, outcome.output);
    CHECK_FALSE(contains(outcome, "--batch-size"));
    CHECK((!fs::exists(w.path("out")) || !fs::is_empty(w.path("out"))));
    fs::remove_all(w.path("out"));
    const bool advised =
        contains(outcome, "free some, raise the limit (ulimit -v, ulimit -d), or choose smaller");
    CHECK((outcome.code == 0 || advised || contains(outcome, "raise the limit")));
    told += contains(outcome, "0_img.npy: out of memory: ") && advised ? 1 : 0;
  }
  CHECK(told > 0);
  works_under("-d unlimited", predict);
}

TEST_CASE("memory: a checkpoint whose import pads beyond the memory is named", "[cli][advice]") {
  const Pictures pictures(12);
  const std::string out = pictures.path("out"), run = pictures.path("run");
  works(pictures.import(out));
  works({"split", "--data", out, "--out", pictures.path("split"), "--val", "0.4", "--test", "0"});
  const auto train = [&](const nlohmann::json& size) {
    auto record = nlohmann::json::parse(read_file(out + "/import.json"));
    record["pad_to"] = size;
    write_file_atomically(out + "/import.json", record.dump());
    fs::remove_all(run);
    works({"train", "--data", out, "--split", pictures.path("split"), "--out", run, "--base-width",
           "4", "--depth", "2", "--epochs", "1", "--batch-size", "2"});
  };
  const Words predict = {"predict",
                         "--checkpoint",
                         run + "/best.safetensors",
                         "--input",
                         pictures.path("data/p0/s0.png"),
                         "--out",
                         pictures.path("pictures")};
  train({65535, 65535});
  refused_under("-v 4000000", predict,
                run +
                    "/best.safetensors: the import before its training: slices of 65535 x 65535 "
                    "take 16384 MiB or more each");
  train({32, 32});
  works_under("-v 4000000", predict);
}

TEST_CASE("memory: bench says what helps, and it does", "[cli][advice]") {
  const auto bench = [](const std::string& shape, const Words& more = {}) {
    return with({"bench", "--device", "cpu", "--op", "relu", "--row-seconds", "0", "--samples", "1",
                 "--flush-mib", "1", "--threads", "1", "--shape", shape},
                more);
  };
  // Told before memory is asked for; known only when it is; of the copy beside the rows.
  const std::string limit = "-v 1000000";
  refused_under(limit, bench("1x1024x1024x64"), "ulimit -v of 977 MiB; choose a smaller shape or");
  refused_under(limit, bench("1x1024x1024x30"), "glia: out of memory; use a smaller --shape");
  works_under(limit, bench("1x64x64x8"));
  for (const char* mib : {"2000", "16"}) {
    const Outcome outcome = limited(limit, bench("1x64x64x8", {"--copy-mib", mib}));
    CAPTURE(mib, outcome.output);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome, "choose a smaller --copy-mib") == (std::string(mib) == "2000"));
  }
}

TEST_CASE("memory: where not even the command line has room, that is one message",
          "[cli][advice]") {
  int told = 0;  // the limits that leave so little differ by machine
  for (int kib = 500; kib <= 3000; kib += 10) {
    const Outcome outcome = limited(fmt::format("-d {}", kib), {"--version"});
    CAPTURE(kib, outcome.output);
    const bool ours = contains(outcome, "glia: out of memory before the command began; free some");
    // 127: the system could not load the program.
    CHECK((outcome.code == 0 || outcome.code == 127 || (ours && outcome.code == 1)));
    told += ours ? 1 : 0;
  }
  CHECK(told > 0);
  works_under("-d unlimited", {"--version"});
}
