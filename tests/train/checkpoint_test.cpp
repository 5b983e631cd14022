// What a checkpoint must not hold, and that a changed byte is noticed.
#include "engine/train/checkpoint.h"

#include <limits>

#include "engine/base/file.h"
#include "engine/train/training_state.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/temp_folder.h"

using namespace glia;
namespace fs = std::filesystem;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// A network, its optimizer, and a checkpoint of both in a folder.
struct Saved {
  TempFolder folder;
  fs::path path = folder.path() / "last.safetensors";
  std::unique_ptr<Device> cpu = make_cpu_device(1);
  UNet model{{.in_channels = 1, .base_width = 1, .depth = 1}};
  std::unique_ptr<optim::Optimizer> adam;

  Saved() {
    model.parameters().allocate(*cpu, 1);
    adam = std::make_unique<optim::Optimizer>(optim::OptimizerConfig{}, model.parameters());
    save();
  }
  void save() const {
    save_checkpoint(path, const_cast<UNet&>(model), adam.get(),
                    {{"model", model.config()}, {"preprocess", Preprocess{}.to_json()}});
  }
  std::string load_error() {
    return error_of([&] {
      const Checkpoint checkpoint = Checkpoint::open(path);
      checkpoint.load_weights(model);
      checkpoint.load_optimizer(*adam);
    });
  }
  /// Writes the file anew with one value of a tensor changed, as a program would that does not
  /// look.
  void set(const std::string& tensor, float value) const {
    SafeTensors file = read_safetensors(path);
    std::vector<float> changed;
    for (auto& entry : file.entries)
      if (entry.name == tensor) {
        changed.assign(entry.values.begin(), entry.values.end());
        changed.back() = value;
        entry.values = changed;
      }
    REQUIRE_FALSE(changed.empty());
    file.metadata.erase("xxh3");
    write_safetensors(path, file.entries, file.metadata);
  }
};

}  // namespace

TEST_CASE("checkpoint: one flipped bit anywhere is noticed", "[train]") {
  Saved saved;
  REQUIRE(saved.load_error().empty());
  const std::string good = read_file(saved.path);
  std::size_t harmless = 0;
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bytes = good;
    bytes[i] = static_cast<char>(bytes[i] ^ (1 << i % 8));
    write_bytes(saved.path, bytes);
    const std::string message = saved.load_error();
    if (message.empty())
      ++harmless;
    else if (message.find(saved.path.string()) == std::string::npos)
      FAIL(message);
  }
  // In the name "xxh3" itself: then it is a file from before there were checksums, and intact.
  CHECK(harmless == 4);
}

TEST_CASE("checkpoint: what differs is named", "[train]") {
  Saved saved;
  std::string bytes = read_file(saved.path);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_bytes(saved.path, bytes);
  CHECK_THAT(saved.load_error(), ContainsSubstring("last.safetensors: tensor 'optimizer.v': its "
                                                   "bytes are not those that were written"));
  saved.save();
  bytes = read_file(saved.path);
  bytes[bytes.find("base_width") + 13] = '2';
  write_bytes(saved.path, bytes);
  CHECK_THAT(saved.load_error(), ContainsSubstring("the metadata are not those that were written"));
}

TEST_CASE("checkpoint: files from before there were checksums open still", "[train]") {
  Saved saved;
  CHECK(Checkpoint::open(saved.path).tensors.checked);
  std::string bytes = read_file(saved.path);
  bytes[bytes.find("\"xxh3\"") + 1] = 'y';
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_bytes(saved.path, bytes);
  CHECK(saved.load_error().empty());
  CHECK_FALSE(Checkpoint::open(saved.path).tensors.checked);
}

TEST_CASE("checkpoint: values that are not finite are refused, with tensor and place", "[train]") {
  Saved saved;
  const auto refused = [&](const std::string& tensor, float value, const std::string& text) {
    saved.save();
    saved.set(tensor, value);
    CHECK_THAT(saved.load_error(), ContainsSubstring("last.safetensors: tensor '" + tensor + "'") &&
                                       ContainsSubstring(text));
  };
  refused("head.weight", kNan, "1 of 1 values are NaN or infinite, the first at 0");
  refused("encoder.0.conv1.weight", -kInfinity, "1 of 9 values are NaN or infinite");
  refused("encoder.0.norm1.running_var", kInfinity, "NaN or infinite");
  refused("encoder.0.norm1.running_var", -1, "found -1 at 0, expected variances of 0 or more");
  refused("optimizer.m", kNan, "NaN or infinite");
  refused("optimizer.v", -1e-9f, "below 0");
}

TEST_CASE("checkpoint: one that is not finite never takes the place of another", "[train]") {
  Saved saved;
  const std::string before = read_file(saved.path);
  const Tensor weight = saved.model.parameters().parameters()[0].value;
  std::vector<float> values = weight.to_vector<float>();
  values[2] = kNan;
  weight.copy_from(std::span<const float>(values));
  CHECK(error_of([&] { saved.save(); }) ==
        "1 of 9 values of encoder.0.conv1.weight are NaN or infinite");
  CHECK(read_file(saved.path) == before);
}

TEST_CASE("checkpoint: epoch and steps are of a training, and those of its state", "[train]") {
  const Saved saved;
  const auto opened = [&](const nlohmann::json& more) {
    nlohmann::json info = {{"model", saved.model.config()}, {"preprocess", Preprocess{}.to_json()}};
    info.update(more);
    save_checkpoint(saved.path, const_cast<UNet&>(saved.model), saved.adam.get(), info);
    return error_of([&] { Checkpoint::open(saved.path); });
  };
  const auto refused = [&](const nlohmann::json& more, const std::string& text) {
    CHECK(opened(more) == saved.path.string() + ": Glia's metadata: " + text);
  };
  CHECK(opened({{"epoch", 1}, {"steps", 0}}).empty());
  refused({{"steps", -5}}, "'steps' is -5; expected 0 or more");
  refused({{"epoch", 0}}, "'epoch' is 0; expected 1 or more");
  refused({{"steps", 2.5}}, "'steps' is 2.5; expected a whole number");
  refused({{"steps", "7"}}, "'steps' is \"7\"; expected a whole number");
  const nlohmann::json state = {{"epoch", 2}, {"steps", 7}};
  CHECK(opened({{"epoch", 2}, {"steps", 7}, {"training", state}}).empty());
  refused({{"epoch", 2}, {"steps", 0}, {"training", state}},
          "'steps' is 0, and 7 in 'training'; the file is damaged");
  refused({{"epoch", 1}, {"steps", 7}, {"training", state}},
          "'epoch' is 1, and 2 in 'training'; the file is damaged");
}

TEST_CASE("training state: only what a run can be in is read", "[train]") {
  const MetricsRow row{.epoch = 1, .steps = 4, .images = 8};
  const TrainingState state{.epoch = 2,
                            .steps = 5,
                            .images = 10,
                            .sums = {.loss = 0.5, .steps = 1, .images = 2},
                            .best = 0.25,
                            .rows = {row},
                            .schedule = {{"waited", 0}}};
  const nlohmann::json good = state.to_json();
  CHECK(TrainingState::from_json(good, "f").to_json() == good);
  const auto refused = [&](const std::string& place, const nlohmann::json& value,
                           const std::string& text) {
    nlohmann::json json = good;
    json[nlohmann::json::json_pointer(place)] = value;
    CAPTURE(place, value.dump());
    const std::string message = error_of([&] { TrainingState::from_json(json, "file"); });
    CHECK_THAT(message, StartsWith("file: ") && ContainsSubstring(text));
    CHECK(message.find("json") == std::string::npos);
  };
  refused("/epoch", -1, "'epoch' is -1; expected 1 or more");
  refused("/epoch", 2.7, "'epoch' is 2.7; expected a whole number");
  refused("/epoch", 3, "'epoch' is 3 after 1 epochs");
  refused("/steps", -5, "'steps' is -5; expected 0 or more");
  refused("/steps", "5", "'steps' is \"5\"; expected a whole number");
  refused("/steps", 0, "the epoch has more steps or images than the run");
  refused("/images", true, "'images' is true");
  refused("/epoch_loss", nullptr, "'epoch_loss' is null; expected a number");
  refused("/best", "high", "'best' is \"high\"; expected a number");
  refused("/rows", 3, "list of 'rows'");
  refused("/rows/0", 3, "row 1: ");
  refused("/rows/0/val_loss", "x", "row 1: 'val_loss' is \"x\"");
  refused("/rows/0/epoch", 5, "row 1 is of epoch 5 and step 4, after step 0");
  refused("/rows/0/steps", -8, "row 1 is of epoch 1 and step -8");
  refused("/rows/0/train_seconds", -1, "row 1: 'train_seconds' is -1; expected 0 or more");
  refused("/rows/0/val_batch_dice_thresholded", 1.5, "'val_batch_dice_thresholded' is 1.5;");
  refused("/rows/0/twist", 1, "row 1: 'twist' is none that this version of Glia knows");
  refused("/rows/0/steps", 3, "its epochs end at step 3, and the run's at 4");
  refused("/epoch_seconds", -5, "an epoch of 1 steps took -5 s");
  refused("/epoch_batch_iou", 9, "with a sum of IoUs of 9");
  refused("/schedule", nullptr, "no 'schedule'");
  nlohmann::json begun = good;
  begun["epoch_steps"] = 0;
  begun["steps"] = 4;
  CHECK_THAT(error_of([&] { TrainingState::from_json(begun, "file"); }),
             ContainsSubstring("an epoch without a step has a loss, images or a time"));
  nlohmann::json missing = good;
  missing.erase("images");
  CHECK_THAT(error_of([&] { TrainingState::from_json(missing, "file"); }),
             StartsWith("file: has no 'images'"));
}
