// Files and folders that are whole or not there, whoever is killed meanwhile; locks.
#include "engine/base/file.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "engine/base/folder_lock.h"
#include "engine/base/new_folder.h"
#include "engine/base/part_file.h"
#include "engine/base/staging.h"
#include "engine/base/temporary_name.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/temp_folder.h"

using namespace glia;
namespace fs = std::filesystem;

namespace {

/// A process that does something and then waits to be killed.
class Bystander {
 public:
  explicit Bystander(const std::function<void()>& action) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) live(action, ready[1]);
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    ::close(ready[0]);
    ::close(ready[1]);
  }
  ~Bystander() { kill(); }
  Bystander(const Bystander&) = delete;
  Bystander& operator=(const Bystander&) = delete;

  pid_t pid() const { return pid_; }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  [[noreturn]] static void live(const std::function<void()>& action, int ready) {
    action();
    static_cast<void>(::write(ready, "x", 1) == 1);
    for (;;) ::pause();
  }
  pid_t pid_ = -1;
};

std::vector<fs::path> entries_of(const fs::path& folder) {
  return {fs::directory_iterator(folder), fs::directory_iterator()};
}

}  // namespace

TEST_CASE("file: what a link leads to stays, a device is written into and not replaced", "[file]") {
  const TempFolder folder;
  const fs::path file = folder.path() / "file", link = folder.path() / "link";
  write_file_atomically(file, "old");
  fs::create_symlink("file", link);
  CHECK(fs::equivalent(through_links(link), file));
  CHECK_FALSE(fs::is_symlink(through_links(link)));
  CHECK(through_links(file) == file);
  CHECK_THAT(error_of([&] { append_to_file(link, "more"); }),
             ContainsSubstring("link: a link, which is not written through; remove it"));
  write_file_atomically(link, "new");
  CHECK_FALSE(fs::is_symlink(link));
  CHECK(read_file(link) == "new");
  CHECK(read_file(file) == "old");
  append_to_file(link, "er");
  CHECK(read_file(link) == "newer");
  fs::create_symlink("/dev/full", folder.path() / "full");
  CHECK_THAT(error_of([&] { write_file_atomically(folder.path() / "full", "x"); }),
             ContainsSubstring("full: cannot write: No space left on device; free space or choose "
                               "another place"));
  write_file_atomically("/dev/null", "x");
  CHECK(fs::is_character_file("/dev/null"));
  CHECK(entries_of(folder.path()).size() == 3);
}

TEST_CASE("file: what a killed process left is removed by the next, what grows is not", "[file]") {
  const TempFolder folder;
  const fs::path home = folder.path() / "home";
  make_folder(home);
  Bystander writer([&] { new PartFile(home / "target"); });
  remove_part_files(home);
  REQUIRE(entries_of(home).size() == 1);
  CHECK(is_temporary_name(entries_of(home).front()));
  writer.kill();
  CHECK(entries_of(home).size() == 1);
  // The first to write into a folder does it unasked; what only looks alike stays.
  write_bytes(home / ".note.glia-01234567", "mine");
  write_file_atomically(home / "target", "x");
  CHECK(entries_of(home).size() == 2);
  CHECK(fs::exists(home / ".note.glia-01234567"));
}

TEST_CASE("file: many may write one file and one folder, and each time one wins whole", "[file]") {
  const TempFolder folder;
  const std::string a(100'000, 'a'), b(100'000, 'b');
  {
    std::vector<std::jthread> writers;
    for (const std::string* text : {&a, &b, &a, &b})
      writers.emplace_back([&, text] {
        for (int i = 0; i < 20; ++i) {
          write_file_atomically(folder.path() / "file", *text);
          remove_part_files(folder.path());
        }
      });
  }
  const std::string last = read_file(folder.path() / "file");
  CHECK((last == a || last == b));
  CHECK(entries_of(folder.path()).size() == 1);
}

TEST_CASE("file: a name as long as names may be, and folders that are not there", "[file]") {
  const TempFolder folder;
  const fs::path deep = folder.path() / "a" / "b" / "c";
  CHECK(make_folder(deep).size() == 3);
  CHECK(make_folder(deep).empty());
  write_file_atomically(deep / std::string(255, 'n'), "x");
  CHECK(entries_of(deep).size() == 1);
  CHECK_THAT(error_of([&] { write_file_atomically(folder.path() / "none" / "file", "x"); }),
             ContainsSubstring("none/file: cannot write: No such file or directory; make the "
                               "folder first or choose another place"));
  make_folder(folder.path() / "none");
  write_file_atomically(folder.path() / "none" / "file", "x");
  CHECK_THAT(error_of([&] { write_file_atomically(deep, "x"); }),
             ContainsSubstring("c: cannot write: Is a directory; choose another place"));
}

TEST_CASE("file: a staging folder whose maker was killed goes, one that grows stays", "[file]") {
  const TempFolder folder;
  const fs::path target = folder.path() / "target";
  {
    Bystander writer([&] { write_bytes((new Staging(target))->path() / "inside", "x"); });
    { Staging staging(target); }
    CHECK(entries_of(folder.path()).size() == 1);
  }
  { Staging staging(target); }
  CHECK(entries_of(folder.path()).empty());
}

TEST_CASE("lock: a second holder is refused and told of the first, until that is gone", "[file]") {
  const TempFolder folder;
  const fs::path file = folder.path() / "run.lock";
  {
    Bystander holder([&] { new FolderLock(file); });
    const std::string message = error_of([&] { const FolderLock second(file); });
    CHECK_THAT(message, ContainsSubstring(folder.path().string() + ": another glia (process " +
                                          std::to_string(holder.pid()) + " on "));
    CHECK_THAT(message, ContainsSubstring("works in this folder; wait until it has ended"));
  }
  CHECK(error_of([&] { const FolderLock second(file); }).empty());
  CHECK_THAT(error_of([&] { const FolderLock second(folder.path() / "none" / "x.lock"); }),
             ContainsSubstring("No such file or directory"));
}

TEST_CASE("lock: what is no lock is left as it is", "[file]") {
  const TempFolder folder;
  const fs::path decoy = folder.path() / "decoy", file = folder.path() / "run.lock";
  write_bytes(decoy, "precious");
  const auto refused = [&](const std::string& why) {
    CHECK_THAT(error_of([&] { const FolderLock lock(file); }),
               ContainsSubstring(file.string() + ": " + why +
                                 "; move it elsewhere, or choose another folder"));
    CHECK(read_file(decoy) == "precious");
    fs::rename(file, folder.path() / "elsewhere");
    CHECK(error_of([&] { const FolderLock lock(file); }).empty());
    fs::remove(file);
    fs::remove_all(folder.path() / "elsewhere");
  };
  fs::create_symlink("decoy", file);
  refused("a link in the place of Glia's lock");
  fs::create_symlink("nothing", file);
  refused("a link in the place of Glia's lock");
  fs::create_hard_link(decoy, file);
  refused("holds other text than Glia's lock");
  write_bytes(file, "process 1 on alpha\nand more");
  refused("holds other text than Glia's lock");
  fs::create_directory(file);
  refused("no file, in the place of Glia's lock");
  REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
  refused("no file, in the place of Glia's lock");
  write_bytes(file, "");
  CHECK(error_of([&] { const FolderLock lock(file); }).empty());
  CHECK(error_of([&] { const FolderLock again(file); }).empty());
}

TEST_CASE("file: a folder that was made goes again where nothing came to lie in it", "[file]") {
  const TempFolder folder;
  const fs::path there = folder.path() / "there", deep = there / "new" / "deep";
  fs::create_directory(there);
  for (const bool used : {false, true}) {
    {
      NewFolder made;
      made.make(deep);
      made.make(deep);
      made.make(there);
      CHECK(fs::is_directory(deep));
      if (used) write_bytes(deep.parent_path() / "file", "x");
    }
    CHECK_FALSE(fs::exists(deep));
    CHECK(fs::exists(deep.parent_path()) == used);
    CHECK(fs::exists(there));
  }
}

TEST_CASE("file: a link is followed to where a file can be made", "[file]") {
  const TempFolder folder;
  const fs::path a = folder.path() / "a", b = folder.path() / "b", loop = folder.path() / "loop";
  fs::create_symlink("b", a);
  fs::create_symlink("c", b);
  CHECK(through_links(a) == folder.path() / "c");
  fs::create_symlink("loop", loop);
  CHECK(through_links(loop) == loop);
  CHECK_THAT(error_of([&] { make_folder(a); }),
             ContainsSubstring("a: a link to b, which is not there; make that folder, or remove"));
}

TEST_CASE("file: a text in UTF-16 or UTF-32 is named", "[file]") {
  using namespace std::string_literals;
  const TempFolder folder;
  const fs::path file = folder.path() / "list.txt";
  for (const auto& [bytes, encoding] :
       {std::pair("\xFF\xFE\x31\0\n\0"s, "UTF-16"), std::pair("\xFE\xFF\0\x31"s, "UTF-16"),
        std::pair("\x31\0\n\0"s, "UTF-16LE"), std::pair("\0\x31\0\n"s, "UTF-16BE"),
        std::pair("\xFF\xFE"s, "UTF-16"), std::pair("\xFF\xFE\0\0\x31\0\0\0"s, "UTF-32"),
        std::pair("\0\0\xFE\xFF\0\0\0\x31"s, "UTF-32"), std::pair("\x31\0\0\0"s, "UTF-32LE"),
        std::pair("\0\0\0\x31"s, "UTF-32BE")}) {
    write_bytes(file, bytes);
    CHECK_THAT(
        error_of([&] { read_text(file); }),
        ContainsSubstring(fmt::format("list.txt: is in {0}, expected a text in UTF-8; save it "
                                      "as UTF-8, for example by iconv -f {0} -t UTF-8",
                                      encoding)));
  }
  write_bytes(file, "12345\0"s);
  CHECK_THAT(error_of([&] { read_text(file); }), ContainsSubstring("holds null bytes"));
  write_bytes(file, "1\r2\r\n3\r");
  CHECK(read_text(file) == "1\n2\r\n3\n");
}
