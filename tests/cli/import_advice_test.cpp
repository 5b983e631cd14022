// What glia import and lists of ids say when names, masks or entries are not as expected, and that
// it works when done as they say.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "engine/base/file.h"
#include "tests/cli/advice.h"
#include "tests/cli/pictures.h"

using namespace glia;
using namespace glia::advice;

namespace {

namespace fs = std::filesystem;

/// The rest of the line after `lead`; fails the test where it is not there.
std::string after(const Outcome& outcome, const std::string& lead) {
  const std::size_t at = outcome.output.find(lead);
  REQUIRE(at != std::string::npos);
  const std::size_t from = at + lead.size();
  return outcome.output.substr(from, outcome.output.find('\n', from) - from);
}

}  // namespace

TEST_CASE("advice: folders of images and of masks are named by flags that work", "[cli][advice]") {
  for (const std::string suffix : {"", "_mask"}) {
    const Pictures pictures;
    for (int i = 0; i < 4; ++i) {
      const std::string name = "a_" + std::to_string(i);
      pictures.add_pair(name, i);
      for (const auto& [from, to] : {std::pair(name, "images/" + name),
                                     std::pair(name + "_mask", "masks/" + name + suffix)}) {
        const fs::path place = pictures.path("data/" + to + ".png");
        fs::create_directories(place.parent_path());
        fs::rename(pictures.path("data/" + from + ".png"), place);
      }
    }
    const Words import = with(pictures.import(), {"--group-by", "case"});
    const Outcome told = run_glia(import);
    CAPTURE(suffix, told.output);
    CHECK(told.code == 1);
    CHECK(contains(told, "images/a_0 and masks/a_0" + suffix + ": pass --images images "));
    const Outcome done =
        run_shell("\"$GLIA\" import --group-by case --data " + pictures.path("data") + " --out " +
                  pictures.path("out") + after(told, ": pass"));
    CAPTURE(done.output);
    CHECK(done.code == 0);
    CHECK(contains(done, "     4 of 16 x 16"));
  }
}

TEST_CASE("advice: folders named as parts of a split are no patients", "[cli][advice]") {
  const Pictures pictures;
  for (int i = 0; i < 4; ++i) {
    const std::string name =
        (i < 2 ? "/Train/q" : "/val/q") + std::to_string(i) + "_" + std::to_string(i);
    pictures.add_pair("all", i);
    for (const auto& [from, to] : {std::pair("all", "images"), std::pair("all_mask", "masks")}) {
      const fs::path place = pictures.path("data/" + (to + name) + ".png");
      fs::create_directories(place.parent_path());
      fs::rename(pictures.path("data/" + std::string(from) + ".png"), place);
    }
  }
  const auto import = [&](const Words& more) {
    fs::remove_all(pictures.path("out"));
    return with(pictures.import(), with({"--images", "images", "--masks", "masks"}, more));
  };
  refused(import({}),
          "--group-by auto: 4 images lie in folders that are named as parts of a split, which are "
          "no patients, for example ");
  CHECK_FALSE(fs::exists(pictures.path("out")));
  for (const auto& [rule, patients] :
       {std::pair("regex:^q([0-9])_", 4), std::pair("case", 4), std::pair("folder", 2)}) {
    const Outcome done = run_glia(import({"--group-by", rule}));
    CAPTURE(rule, done.output);
    CHECK(done.code == 0);
    CHECK(contains(done, "patients          " + std::to_string(patients) + " ("));
  }
  // Patients in them are patients.
  const Pictures deeper;
  for (const char* name : {"train/p1/a", "train/p2/b", "val/p3/c"}) deeper.add_pair(name, 1);
  const Outcome done = run_glia(deeper.import());
  CAPTURE(done.output);
  CHECK(done.code == 0);
  CHECK(contains(done, "patients          3 ("));
}

TEST_CASE("advice: labels are judged by masks that could be read", "[cli][advice]") {
  const Pictures pictures;
  pictures.add_pair("a", 0);
  const fs::path mask = pictures.path("data/a_mask.png");
  const std::string whole = read_file(mask);
  write_bytes(mask, whole.substr(0, whole.size() / 2));
  const Words import = with(pictures.import(), {"--group-by", "case", "--labels", "255"});
  const Outcome told = run_glia(import);
  CAPTURE(told.output);
  CHECK(told.code == 1);
  CHECK(contains(told, "a_mask.png: damaged"));
  CHECK(contains(told, ": 1 problem, "));
  CHECK_FALSE(contains(told, "no mask has that value"));
  write_bytes(mask, whole);
  works(import);
}

TEST_CASE("lists of ids may begin with a byte order mark", "[cli]") {
  const Network w;
  const std::string mark = "\xEF\xBB\xBF";
  for (const char* part : {"train", "val"})
    write_bytes(w.path(std::string(part) + ".txt"),
                mark + read_file(w.path("split/" + std::string(part) + ".txt")));
  const std::string best = w.path("run/best.safetensors"), slices = w.path("slices");
  works({"evaluate", "--checkpoint", best, "--data", slices, "--list", w.path("val.txt")});
  works(w.on("predict", "slices", "out", {"--list", w.path("val.txt")}));
  Words train = w.train("listed", 1);
  const auto split = std::find(train.begin(), train.end(), "--split");
  train.erase(split, split + 2);
  works(with(train, {"--train-list", w.path("train.txt"), "--val-list", w.path("val.txt")}));
}

TEST_CASE("advice: lists and dataset.json in UTF-16 are saved as UTF-8", "[cli][advice]") {
  const Network w;
  const auto as_utf16 = [](const std::string& text, bool marked) {
    std::string wide = marked ? "\xFF\xFE" : "";
    for (const char c : text) wide += {c, '\0'};
    return wide;
  };
  const std::string list = w.path("val.txt"), text = read_file(w.path("split/val.txt"));
  const Words predict = w.on("predict", "slices", "out", {"--list", list, "--masks-only"});
  for (const char* encoding :
       {"UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32", "UTF-32LE", "UTF-32BE"}) {
    CAPTURE(encoding);
    write_bytes(list, text);
    const auto convert = [&](const std::string& flags) {
      CHECK(run_shell("iconv " + flags + " " + list + " > " + list + ".8 && mv " + list + ".8 " +
                      list)
                .code == 0);
    };
    convert(std::string("-f UTF-8 -t ") + encoding);
    const std::string flags = std::string("-f ") + encoding + " -t UTF-8";
    refused(predict, std::string("val.txt: is in ") + encoding +
                         ", expected a text in UTF-8; save "
                         "it as UTF-8, for example by iconv " +
                         flags);
    convert(flags);
    works(predict);
  }
  std::string old = text;
  std::replace(old.begin(), old.end(), '\n', '\r');
  write_bytes(list, old);
  works(predict);

  const Pictures pictures;
  pictures.add_pair("a", 1);
  const std::string json = pictures.path("data/dataset.json");
  const std::string plain =
      R"({"modality": {"0": "x"}, "training": [{"image": "a.png", "label": "a_mask.png"}]})";
  const Words import = {"import",   "--data", json,         "--out", pictures.path("out"),
                        "--labels", "255",    "--group-by", "case"};
  write_bytes(json, as_utf16(plain, true));
  refused(import, "dataset.json: is in UTF-16, expected a text in UTF-8");
  write_bytes(json, "\xEF\xBB\xBF" + plain);
  works(import);
}

TEST_CASE("advice: pairs of import that lack something or have it twice", "[cli][advice]") {
  const Pictures pictures;
  pictures.add_pair("a", 1);
  pictures.add_pair("b", 2);
  const auto file = [&](const std::string& name) { return pictures.path("data/" + name); };
  const auto import = [&](const Words& more = {}) {
    fs::remove_all(pictures.path("out"));
    return with(with(pictures.import(), {"--group-by", "case"}), more);
  };
  fs::copy_file(file("a.png"), file("a.tif"));
  refused(import(), "differs from " + file("a.png") + " in its ending only; keep one of them");
  fs::remove(file("a.tif"));
  works(import());

  fs::rename(file("b_mask.png"), pictures.path("kept.png"));
  refused(import(), "an image without its mask");
  refused(import(), "add the mask (all zeros for no tumour) or remove the image");
  pictures.add("b_mask.png",
               png_file({.height = 16, .width = 16}, std::vector<std::uint16_t>(16 * 16)));
  works(import());
  fs::remove(file("b_mask.png"));
  fs::rename(file("b.png"), pictures.path("b.png"));
  works(import());
  fs::rename(pictures.path("b.png"), file("b.png"));
  fs::rename(pictures.path("kept.png"), file("b_mask.png"));

  const Words rules = {"--labels", "255", "--mask-threshold", "100"};
  refused(import(rules), "--labels and --mask-threshold cannot both say what is tumour; pass one");
  works(import({rules[0], rules[1]}));
  works(import({rules[2], rules[3]}));
  refused(import({"--labels", "0"}), "0 is background; name the values that are tumour");

  std::vector<float> mask(16 * 16);
  mask[3] = NAN;
  fs::remove(file("b_mask.png"));
  write_npy<float>(file("b_mask.npy"), {16, 16}, mask);
  refused(import(), "b_mask.npy: a mask with NaN; replace it by 0 for background");
  mask[3] = 0;
  write_npy<float>(file("b_mask.npy"), {16, 16}, mask);
  works(import());
}

TEST_CASE("advice: a data set that is not whole is unpacked again", "[cli][advice]") {
  const Pictures pictures;
  for (const std::string name : {"a", "b"}) {
    pictures.add_pair(name, *name.c_str());
    for (const auto& [from, to] : {std::pair(name + ".png", "imagesTr/" + name + "_0000.png"),
                                   std::pair(name + "_mask.png", "labelsTr/" + name + ".png")}) {
      const fs::path place = pictures.path("data/" + to);
      fs::create_directories(place.parent_path());
      fs::rename(pictures.path("data/" + from), place);
    }
  }
  const std::string json = pictures.path("data/dataset.json");
  const Words import = {"import",     "--data", json, "--out", pictures.path("out"),
                        "--group-by", "case"};
  const auto write = [&](const std::string& more) {
    fs::remove_all(pictures.path("out"));
    write_file_atomically(
        json, R"({"file_ending": ".png", "labels": {"background": 0, "t": 1})" + more + "}");
  };
  write("");
  refused(import,
          "no object 'channel_names' or 'modality' that says which channels there are; add");
  write(R"(, "channel_names": {"0": "x"}, "numTraining": 3)");
  refused(import, "numTraining is 3, but there are 2 cases; unpack the data set again or mend the");
  write(R"(, "channel_names": {"0": "x"}, "numTraining": 2)");
  refused(with(import, {"--mask-suffix", "_m"}), "leave out --images, --masks, --image-suffix");
  works(import);

  // The one of the Decathlon, which lists its files; a copy of the data set is there to unpack.
  write(R"(, "modality": {"0": "x"}, "training": [
      {"image": "./imagesTr/a.png", "label": "./labelsTr/a.png"},
      {"image": "./imagesTr/b.png", "label": "./labelsTr/b.png"}])");
  const fs::path data = pictures.path("data"), copy = pictures.path("copy");
  fs::copy(data, copy, fs::copy_options::recursive);
  for (const char* gone : {"imagesTr/b_0000.png", "labelsTr/b.png"}) {
    fs::remove(data / gone);
    refused(import, "; unpack the data set again");
    fs::copy(copy, data, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    works(import);
    fs::remove_all(pictures.path("out"));
  }

  // A label that stands for two images, or is an image itself.
  const auto list = [&](const std::string& label_of_b) {
    write(R"(, "modality": {"0": "x"}, "training": [
        {"image": "imagesTr/a.png", "label": "labelsTr/a.png"},
        {"image": "imagesTr/b.png", "label": ")" +
          label_of_b + "\"}]");
  };
  for (const auto& [label, text] :
       {std::pair("labelsTr/a.png", "; name each one's own file, or remove one of the entries"),
        std::pair("imagesTr/b.png", "name the label's own file, or remove the entry")}) {
    list(label);
    refused(import, text);
    list("labelsTr/b.png");
    works(import);
  }
  write(R"(, "modality": {"0": "x"}, "training": [
      {"image": "imagesTr/a.png", "label": "labelsTr/a.png"}])");
  works(import);

  // In colour, of which one picture is a copy in grey.
  const std::vector<std::uint16_t> colours(16 * 16 * 3, 9);
  write(R"(, "channel_names": {"0": "r", "1": "g", "2": "b"})");
  for (const char* name : {"imagesTr/a_0000.png", "imagesTr/b_0000.png"}) {
    refused(import,
            "1 channels, " + json + " names 3; unpack the data set again or mend that file");
    pictures.add(name, png_file({.height = 16, .width = 16, .channels = 3}, colours));
  }
  works(import);
}
