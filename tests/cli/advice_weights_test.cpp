// Weights and runs that a command does not take as they are: what it advises instead works.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "engine/formats/safetensors.h"
#include "tests/cli/advice.h"

using namespace glia;
using namespace glia::advice;

namespace {

namespace fs = std::filesystem;

/// Writes a safetensors file anew with other metadata and, where that is not empty, `prefix` before
/// all names but the last.
void rewrite(const std::string& file, const std::string& key, const std::string& value,
             const std::string& prefix = "") {
  SafeTensors content = read_safetensors(file);
  content.metadata.erase("xxh3");
  content.metadata.erase(key);
  if (!value.empty()) content.metadata[key] = value;
  for (std::size_t i = 0; i + 1 < content.entries.size(); ++i)
    content.entries[i].name = prefix + content.entries[i].name;
  write_safetensors(file, content.entries, content.metadata);
}

}  // namespace

TEST_CASE("advice: weights that are a checkpoint already, or hold more than a network",
          "[cli][advice]") {
  const Network w;
  const std::string best = w.path("run/best.safetensors"), weights = w.path("w.safetensors");
  const auto import = [&](const std::string& from) {
    return Words{"import-weights", "--weights", from, "--out", w.path("imported.safetensors"),
                 "--overwrite"};
  };
  const auto evaluate = [&](const std::string& checkpoint) {
    return Words{"evaluate", "--checkpoint", checkpoint, "--data", w.path("slices")};
  };
  refused(import(best), "is a checkpoint of Glia already, in Glia's layout; use it as it is");
  works(evaluate(best));

  works({"export-weights", "--checkpoint", best, "--out", weights});
  refused(evaluate(weights), "glia import-weights --weights " + weights + " --out CHECKPOINT");
  works(import(weights));
  works(evaluate(w.path("imported.safetensors")));

  const std::string good = read_file(weights);
  rewrite(weights, "glia-weights", "[]");
  refused(import(weights), "its metadata 'glia-weights' are no JSON object; leave them out of the");
  rewrite(weights, "glia-weights", "");
  works(import(weights));

  write_file_atomically(weights, good);
  rewrite(weights, "none", "", "module.");
  refused(import(weights), "save the network alone, without what lies beside it");
  write_file_atomically(weights, good);
  works(import(weights));
}

TEST_CASE("advice: a run of before files had hashes finds its data where they were",
          "[cli][advice]") {
  const Network w;
  const std::string last = w.path("run/last.safetensors");
  auto info = nlohmann::json::parse(read_safetensors(last).metadata["glia"]);
  info.erase("files_hash");
  rewrite(last, "glia", info.dump());
  fs::rename(w.path("slices"), w.path("moved"));
  const Words resume = {"train", "--resume", w.path("run"), "--epochs", "2", "--threads", "1"};
  refused(resume, "the run's data folder is not there; put it back, or say with --data");
  refused(with(resume, {"--data", w.path("moved")}), "put the data back to " + w.path("slices"));
  fs::rename(w.path("moved"), w.path("slices"));
  works(resume);
}

TEST_CASE("advice: a device that this build has not", "[cli][advice]") {
  const Network w;
  const auto on = [&](const std::string& device) {
    return w.on("predict", "slices/0_img.npy", "out", {"--device", device});
  };
  const Outcome outcome = run_glia(on("cuda"));
  CAPTURE(outcome.output);
  if (outcome.code == 0) return;  // a build and machine that have it
  CHECK(outcome.code == 1);
  CHECK(contains(outcome, "choose --device cpu"));
  works(on("cpu"));
}
