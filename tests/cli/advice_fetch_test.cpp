// Files whose content lies elsewhere: what is said of them, and that fetching it helps. Where Git
// LFS and git-annex are here, they do it with a repository of this machine; where not, the content
// is put in place of the pointer by hand, and that these programs fetch it is not tried.
#include <filesystem>

#include "engine/base/file.h"
#include "tests/cli/advice.h"

using namespace glia;
using namespace glia::advice;

namespace {

namespace fs = std::filesystem;

/// A program that keeps content elsewhere.
struct Keeper {
  std::string name;   // of git's command
  std::string store;  // shell: keeps all files of a repository and commits them
  std::string fetch;  // shell: what the message advises
  std::string told;   // the message
};

const Keeper kLfs{
    "lfs", "git lfs install && git lfs track '*.npy' && git add .",
    "git lfs install && git lfs pull",
    "a pointer of Git LFS in place of the file; fetch it with: git lfs install && git "
    "lfs pull"};
const Keeper kAnnex{"annex", "git annex init && git annex add .", "git annex get .",
                    "which is not there; fetch the file (git annex get), or remove the link"};

/// Shell in a folder, with settings of git that are this test's own.
Outcome in_folder(const Network& w, const std::string& line) {
  return run_shell("cd " + w.path(".") + " && export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 && " + line);
}

bool is_here(const Network& w, const Keeper& keeper) {
  return in_folder(w, "git " + keeper.name + " version").code == 0;
}

/// A clone that holds one.npy as `keeper` leaves it before the content was fetched.
void clone_without_content(const Network& w, const Keeper& keeper) {
  const Outcome made =
      in_folder(w,
                "git config --global user.name t && git config --global user.email t@t && "
                "git init store && cd store && cp ../one.npy . && " +
                    keeper.store +
                    " && git commit -m one && cd .. && GIT_LFS_SKIP_SMUDGE=1 git clone "
                    "file://$PWD/store clone");
  CAPTURE(made.output);
  REQUIRE(made.code == 0);
}

}  // namespace

TEST_CASE("advice: content that Git LFS or git-annex keeps is fetched", "[cli][advice]") {
  const Network w;
  write_image(w.path("one.npy"), 1);
  const Words predict = w.on("predict", "clone/one.npy", "out");
  for (const Keeper& keeper : {kLfs, kAnnex}) {
    CAPTURE(keeper.name);
    const bool here = is_here(w, keeper);
    fs::remove_all(w.path("store"));
    fs::remove_all(w.path("clone"));
    if (here) {
      clone_without_content(w, keeper);
    } else {
      WARN("git " + keeper.name + " is not installed: its content is put in place by hand");
      fs::create_directories(w.path("clone"));
      if (keeper.name == "lfs")
        write_file_atomically(w.path("clone/one.npy"),
                              "version https://git-lfs.github.com/spec/v1\noid sha256:" +
                                  std::string(64, 'a') + "\nsize 3200\n");
      else
        fs::create_symlink(".git/annex/objects/a/one.npy", w.path("clone/one.npy"));
    }
    refused(predict, "clone/one.npy: ");
    refused(predict, keeper.told);
    refused(w.on("predict", "clone", "folder"), keeper.told);
    if (here) {
      const Outcome fetched = in_folder(w, "cd clone && " + keeper.fetch);
      CAPTURE(fetched.output);
      CHECK(fetched.code == 0);
    } else {
      fs::remove(w.path("clone/one.npy"));
      fs::copy_file(w.path("one.npy"), w.path("clone/one.npy"));
    }
    works(predict);
    // git-annex protects content even from its owner.
    in_folder(w, "chmod -R u+w store clone");
  }
}

TEST_CASE("advice: what git-annex leaves as a text is fetched", "[cli][advice]") {
  const Network w;
  const Words predict = w.on("predict", "one.npy", "out");
  // Of an unlocked file, and of a link on a disk that has none.
  for (const char* pointer : {"/annex/objects/SHA256E-s3200--aa.npy\n",
                              "../.git/annex/objects/1/2/SHA256E-s3200--aa.npy"}) {
    write_file_atomically(w.path("one.npy"), pointer);
    refused(predict,
            "one.npy: a pointer of git-annex in place of the file; fetch it with: git annex get");
    write_image(w.path("one.npy"), 1);
    works(predict);
    fs::remove_all(w.path("out"));
  }
  if (!is_here(w, kAnnex)) {
    WARN("git annex is not installed: an unlocked file is not tried");
    return;
  }
  Keeper unlocked = kAnnex;
  unlocked.store += " && git annex unlock . && git add .";
  clone_without_content(w, unlocked);
  const Words cloned = w.on("predict", "clone/one.npy", "out");
  refused(cloned, "a pointer of git-annex in place of the file");
  const Outcome fetched = in_folder(w, "cd clone && git annex get one.npy");
  CAPTURE(fetched.output);
  CHECK(fetched.code == 0);
  works(cloned);
  in_folder(w, "chmod -R u+w store clone");
}
