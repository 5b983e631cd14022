// What messages advise is done as they say, and then it works.
#include <cmath>

#include "engine/base/file.h"
#include "tests/cli/advice.h"
#include "tests/cli/pictures.h"

using namespace glia;
using namespace glia::advice;

namespace {

namespace fs = std::filesystem;

}  // namespace

TEST_CASE("advice: rename one of two files of one name", "[cli][advice]") {
  const Network w;
  for (const char* name : {"mixed/a/b.npy", "mixed/a/b_npy.npy", "mixed/a_b.npy", "mixed/c/b.npy"})
    write_image(w.path(name), 1);
  const auto command = GENERATE(std::string("predict"), std::string("explain"));
  const Words more = command == "explain" ? Words{"--methods", "flips"} : Words{"--masks-only"};
  refused(w.on(command, "mixed", "out", more), "is taken by another image; rename one of them");
  fs::rename(w.path("mixed/a_b.npy"), w.path("mixed/d.npy"));
  works(w.on(command, "mixed", "out", more));

  const Pictures pictures;
  for (const char* name : {"a/b", "a_b", "c/b"}) pictures.add_pair(name, *name);
  const Words import = with(pictures.import(), {"--group-by", "case"});
  refused(import, "would get the id a_b");
  refused(import, "rename one of them");
  fs::rename(pictures.path("data/a_b.png"), pictures.path("data/d.png"));
  fs::rename(pictures.path("data/a_b_mask.png"), pictures.path("data/d_mask.png"));
  works(import);
}

TEST_CASE("advice: values that are not finite are replaced by 0", "[cli][advice]") {
  const Network w;
  const std::string advice = "1 of 768 values are NaN or infinite; replace them, for example ";
  write_image(w.path("hole.npy"), NAN);
  refused(w.on("predict", "hole.npy", "out"), advice);
  write_image(w.path("hole.npy"), 0);
  works(w.on("predict", "hole.npy", "out"));

  const Pictures pictures;
  pictures.add_pair("p/s", 3);
  fs::remove(pictures.path("data/p/s.png"));
  write_image(pictures.path("data/p/s.npy"), INFINITY);
  refused(pictures.import(), advice);
  write_image(pictures.path("data/p/s.npy"), 0);
  works(pictures.import());
}

TEST_CASE("advice: data and splits with a damaged record are made again", "[cli][advice]") {
  const Pictures pictures(8);
  const std::string split = pictures.path("split");
  const Words train = {"train",
                       "--data",
                       pictures.path("out"),
                       "--split",
                       split,
                       "--out",
                       pictures.path("run"),
                       "--base-width",
                       "4",
                       "--depth",
                       "1",
                       "--epochs",
                       "1",
                       "--batch-size",
                       "2",
                       "--threads",
                       "1"};
  const Words make_split = {"split", "--data", pictures.path("out"), "--out", split,
                            "--val", "0.5"};
  works(pictures.import());
  works(make_split);

  write_file_atomically(pictures.path("out/import.json"), "[]");
  refused(train, "import.json: is no JSON object; import the data again");
  refused(pictures.import(), "is there already; remove it or choose another folder");
  fs::remove_all(pictures.path("out"));
  works(pictures.import());

  write_file_atomically(split + "/manifest.json", "[]");
  refused(train, "manifest.json: is no JSON object; run glia split again");
  refused(make_split, "or pass --overwrite");
  works(with(make_split, {"--overwrite"}));
  works(train);

  const std::string config = pictures.path("run/config.json");
  const Words card = {"model-card", "--checkpoint", pictures.path("run/best.safetensors"), "--out",
                      pictures.path("card.md")};
  write_file_atomically(config, "[]");
  refused(card, "config.json: is no JSON object; mend it or move it away");
  fs::rename(config, pictures.path("moved.json"));
  works(card);
}

TEST_CASE("advice: flags that are to be added, changed or left out", "[cli][advice]") {
  const Network w;
  const std::string best = w.path("run/best.safetensors");
  const Words evaluate = {"evaluate",       "--checkpoint", best,   "--data",
                          w.path("slices"), "--explain",    "flips"};
  refused(evaluate, "add --out FOLDER");
  works(with(evaluate, {"--out", w.path("evaluation")}));

  const Words card = {"model-card", "--checkpoint",   best, "--group-by", "id/5",
                      "--out",      w.path("card.md")};
  refused(card, "add --data FOLDER");
  works(with(card, {"--data", w.path("slices")}));

  const Words nesterov = with(w.train("nesterov", 1), {"--nesterov"});
  refused(nesterov, "Leave it out, or choose --optimizer sgd");
  works(with(nesterov, {"--optimizer", "sgd"}));

  refused(w.train("run", 1), "choose another --out, or --resume " + w.path("run"));
  works({"train", "--resume", w.path("run"), "--epochs", "2"});
  refused({"train", "--resume", w.path("run"), "--loss", "bce"}, "Leave it out");

  const std::string run = w.path("run");
  refused({"train", "--resume", w.path("nothere")},
          "--resume " + w.path("nothere") + ": no such folder; name that of a run, its --out");
  refused({"train", "--resume", run + "/last.safetensors"},
          "last.safetensors: a file; name the folder of the run, as in --resume " + run);
  works({"train", "--resume", run});

  const Words decay = with(w.train("decay", 1), {"--weight-decay"});
  refused(with(decay, {"1e38"}),
          "lower --weight-decay, which is 1e+38 and rarely more than 0.1, or");
  works(with(decay, {"0.01"}));
  refused(with(w.train("fast", 1), {"--learning-rate", "1e20", "--weight-decay", "0.01"}),
          "; lower --learning-rate, choose a --norm");

  write_image(w.path("one.npy"), 1);
  const auto explain = [&](const Words& more) { return w.on("explain", "one.npy", "why", more); };
  refused(explain({"--target", "truth"}), "use prediction or image");
  works(explain({"--target", "image"}));
  refused(explain({"--methods", "flips", "--channel", "3"}), "choose 0 to 2");
  works(explain({"--methods", "flips", "--channel", "2"}));

  const Words phantom = {"phantom",  "--out", w.path("slices"), "--patients", "2",
                         "--slices", "2",     "--size",         "34"};
  refused(phantom, "choose another --out or pass --overwrite");
  works(with(phantom, {"--overwrite"}));
  works({"split", "--data", w.path("slices"), "--out", w.path("split"), "--overwrite", "--val",
         "0.5"});
  Words deep = w.train("deep", 1);
  refused(deep, "34x34, expected multiples of 4 (2^depth); pad them or choose a");
  *(std::find(deep.begin(), deep.end(), "--depth") + 1) = "1";
  works(deep);
  Words large = deep;
  *(std::find(large.begin(), large.end(), "--batch-size") + 1) = "3";
  *(std::find(large.begin(), large.end(), "--out") + 1) = w.path("large");
  refused(large, "use a batch size of at most 2");
  *(std::find(large.begin(), large.end(), "--batch-size") + 1) = "2";
  works(large);
}

TEST_CASE("advice: the target of a link to a folder is given itself", "[cli][advice]") {
  const Network w;
  write_image(w.path("elsewhere/far.npy"), 1);
  write_image(w.path("mixed/near.npy"), 1);
  fs::create_directory_symlink(w.path("elsewhere"), w.path("mixed/link"));
  const auto command = GENERATE(std::string("predict"), std::string("explain"));
  const Words more = command == "explain" ? Words{"--methods", "flips"} : Words{"--masks-only"};
  const std::string made = command == "explain" ? "_flips.npy" : "_mask.png";
  refused(w.on(command, "mixed", "out", more),
          "mixed/link: a link to a folder is not followed; pass its target as --input");
  CHECK(fs::exists(w.path("out/near" + made)));
  CHECK(!fs::exists(w.path("out/far" + made)));
  Words both = w.on(command, "mixed", "both", more);
  both.insert(std::find(both.begin(), both.end(), "--out"), w.path("elsewhere"));
  refused(both, "1 of 3 files");
  CHECK(fs::exists(w.path("both/far" + made)));
  fs::remove(w.path("mixed/link"));
  works(both);

  // Where there are slices in the layout of training, and where there is nothing but a link.
  fs::rename(w.path("mixed/near.npy"), w.path("mixed/near_img.npy"));
  fs::create_directory_symlink(w.path("elsewhere"), w.path("mixed/link"));
  refused(w.on(command, "mixed", "slices-out", more), "pass its target as --input");
  fs::remove(w.path("mixed/near_img.npy"));
  refused(w.on(command, "mixed", "none", more), "pass its target as --input");
  CHECK(!fs::exists(w.path("none")));
}

TEST_CASE("advice: another seed where the network collapsed", "[cli][advice]") {
  const CliWorkspace w;
  // Which seeds collapse differs by instruction set; of eight some do and some do not.
  int collapsed = 0, sound = 0;
  for (int seed = 0; seed < 8 && (collapsed == 0 || sound == 0); ++seed) {
    Words words =
        with(w.train("run" + std::to_string(seed), 2),
             {"--norm", "none", "--learning-rate", "0.01", "--seed", std::to_string(seed)});
    const Outcome outcome = run_glia(words);
    CAPTURE(seed, outcome.output);
    CHECK(outcome.code == 0);
    const bool bad = contains(outcome, "the network has collapsed") || contains(outcome, "is dead");
    if (bad) CHECK(contains(outcome, "another --seed"));
    ++(bad ? collapsed : sound);
  }
  CHECK(collapsed > 0);
  CHECK(sound > 0);
}
