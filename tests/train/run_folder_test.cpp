// The folder of a run: who may begin in it, what is removed, what is kept.
#include "engine/train/run_folder.h"

#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "engine/formats/safetensors.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/temp_folder.h"

using namespace glia;
namespace fs = std::filesystem;

namespace {

/// Of a run that says to have made `steps`, and goes on from `state_steps` where there is a state.
void write_checkpoint(const fs::path& path, int steps, int state_steps = -1) {
  nlohmann::json info = {{"version", 1}, {"model", "m"}, {"preprocess", "p"}, {"steps", steps}};
  if (state_steps >= 0) info["training"] = {{"steps", state_steps}};
  write_safetensors(path, {}, {{"glia", info.dump()}});
}

std::string begin_error(const fs::path& path) {
  return error_of([&] { RunFolder(path).begin(); });
}

}  // namespace

TEST_CASE("run folder: what came to nothing leaves nothing", "[train]") {
  const TempFolder temp;
  const fs::path path = temp.path() / "a" / "b";
  RunFolder folder(path);
  CHECK_FALSE(fs::exists(temp.path() / "a"));
  folder.begin();
  folder.write_json("config.json", {{"x", 1}});
  folder.log("line");
  folder.discard();
  CHECK_FALSE(fs::exists(temp.path() / "a"));
  // A folder that was there stays.
  make_folder(path);
  RunFolder again(path);
  again.begin();
  again.write_json("config.json", {{"x", 1}});
  again.discard();
  CHECK(fs::is_empty(path));
}

TEST_CASE("run folder: a start that made no step is replaced, a run is not", "[train]") {
  const TempFolder temp;
  const fs::path path = temp.path() / "run";
  {
    RunFolder killed(path);
    killed.begin();
    killed.write_json("config.json", {{"x", 1}});
    write_bytes(path / "metrics.csv.part123", "old");
  }
  CHECK(begin_error(path).empty());
  CHECK_FALSE(fs::exists(path / "config.json"));
  CHECK_FALSE(fs::exists(path / "metrics.csv.part123"));
  write_checkpoint(path / "last.safetensors", 0);
  CHECK(begin_error(path).empty());
  CHECK_FALSE(fs::exists(path / "last.safetensors"));
  write_checkpoint(path / "last.safetensors", 1);
  CHECK_THAT(begin_error(path),
             ContainsSubstring("is not empty; choose another --out, or --resume"));
  write_checkpoint(path / "last.safetensors", 0, 5);
  CHECK_THAT(begin_error(path), ContainsSubstring("is not empty"));
  write_bytes(path / "last.safetensors", "damaged");
  CHECK_THAT(begin_error(path), ContainsSubstring("is not empty"));
  fs::remove(path / "last.safetensors");
  write_bytes(path / "notes.txt", "mine");
  CHECK_THAT(begin_error(path), ContainsSubstring("holds notes.txt, which no run writes"));
  CHECK(read_file(path / "notes.txt") == "mine");
}

TEST_CASE("run folder: somebody else's folder is left as it is", "[train]") {
  const TempFolder temp;
  write_bytes(temp.path() / "notes.txt", "mine");
  CHECK_THAT(begin_error(temp.path()), ContainsSubstring("is there already, and no run"));
  CHECK_THAT(begin_error(temp.path() / "notes.txt"),
             ContainsSubstring("is there already, and no run"));
  CHECK(std::distance(fs::directory_iterator(temp.path()), fs::directory_iterator()) == 1);
  CHECK_THAT(error_of([&] { RunFolder(temp.path()).reopen(); }),
             ContainsSubstring("found no last.safetensors"));
  CHECK(std::distance(fs::directory_iterator(temp.path()), fs::directory_iterator()) == 1);
}

TEST_CASE("run folder: an earlier run is opened without what a kill left", "[train]") {
  const TempFolder temp;
  write_checkpoint(temp.path() / "last.safetensors", 3);
  for (const char* name : {"last.safetensors.part17", ".best.safetensors.glia-0123456789abcdef"})
    write_bytes(temp.path() / name, "half");
  write_bytes(temp.path() / "mine.part17", "kept");
  RunFolder folder(temp.path());
  folder.reopen();
  CHECK_FALSE(fs::exists(temp.path() / "last.safetensors.part17"));
  CHECK_FALSE(fs::exists(temp.path() / ".best.safetensors.glia-0123456789abcdef"));
  CHECK(fs::exists(temp.path() / "mine.part17"));
  CHECK_THAT(error_of([&] { RunFolder(temp.path()).reopen(); }),
             ContainsSubstring("another glia (process "));
}
