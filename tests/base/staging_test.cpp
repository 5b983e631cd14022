#include "engine/base/staging.h"

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "engine/base/file.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/temp_folder.h"

using namespace glia;

namespace {

namespace fs = std::filesystem;

std::ptrdiff_t count_in(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), {});
}

/// What a killed program leaves: a process makes a Staging with a file and ends without
/// destructors.
void leave_remains(const fs::path& out) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    Staging staging(out);
    std::ofstream(staging.path() / "foreign") << "x";
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  REQUIRE(status == 0);
}

}  // namespace

TEST_CASE("staging: a folder is published whole, or gone", "[staging]") {
  const TempFolder folder;
  const fs::path out = folder.path() / "new" / "deep" / "out";
  {
    const Staging staging(out);
    write_bytes(staging.path() / "a", "1");
    CHECK(staging.path().parent_path() == out.parent_path());
  }
  CHECK(count_in(folder.path()) == 0);  // parents too
  {
    Staging staging(out / "");
    write_bytes(staging.path() / "a", "1");
    staging.publish();
  }
  CHECK(read_file(out / "a") == "1");
  CHECK(count_in(out.parent_path()) == 1);
  fs::create_directories(folder.path() / "empty");
  Staging over(folder.path() / "empty");
  over.publish();
  Staging again(out);
  CHECK_THAT(error_of([&] { again.publish(); }), ContainsSubstring("out: is there already"));
  CHECK(read_file(out / "a") == "1");
}

TEST_CASE("staging: what a killed program left is removed, what another one makes is not",
          "[staging]") {
  const TempFolder folder;
  const fs::path out = folder.path() / "out";
  leave_remains(out);
  CHECK(count_in(folder.path()) == 1);
  leave_remains(folder.path() / "other");  // removes those of the first
  CHECK(count_in(folder.path()) == 1);
  fs::create_directories(folder.path() / ".out.glia-notours");
  fs::create_directories(folder.path() / "out.glia-0123456789abcdef");
  Staging first(out);
  CHECK(count_in(folder.path()) == 3);
  Staging second(out);
  CHECK(first.path() != second.path());
  CHECK(fs::exists(first.path()));
  CHECK(fs::is_empty(second.path()));
  first.publish();
  CHECK_THAT(error_of([&] {
               write_bytes(out / "a", "1");
               second.publish();
             }),
             ContainsSubstring("is there already"));
  CHECK(!fs::exists(out / "foreign"));
}

TEST_CASE("staging: a folder takes the place of another in one step", "[staging]") {
  const TempFolder folder;
  const fs::path out = folder.path() / "out";
  constexpr const char* kOurs[] = {"list", "part"};
  fs::create_directories(out / "part");
  write_bytes(out / "part" / "old", "old");
  write_bytes(out / "list", "old");
  write_bytes(out / "notes", "mine");
  fs::create_symlink("nowhere", out / "link");
  {
    Staging staging(out);
    write_bytes(staging.path() / "list", "new");
    staging.publish_over(kOurs);
  }
  CHECK(read_file(out / "list") == "new");
  CHECK(read_file(out / "notes") == "mine");
  CHECK(fs::is_symlink(out / "link"));
  CHECK(!fs::exists(out / "part"));
  CHECK(count_in(folder.path()) == 1);

  fs::create_directories(out / "mine");
  Staging staging(out);
  write_bytes(staging.path() / "list", "newer");
  CHECK_THAT(error_of([&] { staging.publish_over(kOurs); }),
             ContainsSubstring("mine: a folder that does not belong to what is replaced"));
  CHECK(read_file(out / "list") == "new");
}

TEST_CASE("file: what stands in place of a file is named", "[file]") {
  const TempFolder folder;
  const fs::path path = folder.path() / "f";
  const auto refusal = [&] { return error_of([&] { read_file(path); }); };
  CHECK_THAT(refusal(), ContainsSubstring("f: cannot read: no such file"));
  fs::create_symlink("gone/x", path);
  CHECK_THAT(refusal(), ContainsSubstring("f: a link to gone/x, which is not there"));
  fs::remove(path);
  write_bytes(path, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
  CHECK_THAT(refusal(), ContainsSubstring("f: a pointer of Git LFS"));
  for (const char* annex : {"/annex/objects/SHA256E-s3200--00.npy\n",
                            "../.git/annex/objects/a/b/SHA256E-s3200--00.npy/SHA256E"}) {
    write_bytes(path, annex);
    CHECK(
        refusal().ends_with("f: a pointer of git-annex in place of the file; fetch it with: git "
                            "annex get"));
  }
  write_bytes(path, std::string(100, 'x'));
  CHECK(refusal().empty());
  CHECK_THAT(error_of([&] { read_file(path, 99); }),
             ContainsSubstring("100 bytes, more than the 99"));
  CHECK_THAT(error_of([&] { read_file("/dev/null"); }), ContainsSubstring("no regular file"));
  CHECK(make_folder(folder.path() / "a/b") ==
        std::vector<fs::path>{folder.path() / "a", folder.path() / "a/b"});
}

TEST_CASE("staging: who removes remains does not take what another has just made", "[staging]") {
  const TempFolder folder;
  const auto work = [&](const std::string& name, int& lost) {
    for (int i = 0; i < 500; ++i) {
      const Staging staging(folder.path() / name);
      std::ofstream(staging.path() / "file") << "x";
      lost += !fs::exists(staging.path() / "file");
    }
  };
  int lost[3] = {};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i)
      threads.emplace_back([&, i] { work("out" + std::to_string(i), lost[i]); });
  }
  CHECK(lost[0] + lost[1] + lost[2] == 0);
  CHECK(count_in(folder.path()) == 0);
}
