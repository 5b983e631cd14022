#include "engine/train/checkpoint.h"

#include <algorithm>
#include <deque>

#include "engine/base/file.h"
#include "engine/base/finite.h"
#include "engine/base/json.h"
#include "engine/base/shell_word.h"
#include "engine/base/text.h"
#include "engine/runtime/modes.h"

namespace glia {

namespace {

constexpr const char* kKey = "glia";
constexpr int kVersion = 1;
constexpr std::string_view kOptimizerPrefix = "optimizer.";
constexpr std::string_view kSquares = "optimizer.v";  // means of squared gradients
constexpr std::string_view kVariance = ".running_var";

std::vector<std::int64_t> extents(const Shape& shape) {
  std::vector<std::int64_t> list;
  for (int d = 0; d < shape.rank(); ++d) list.push_back(shape[d]);
  return list;
}

/// How far the training had come, which tells whether a run would lose something, must be what some
/// training comes to, and what the state says that a run goes on from.
void check_progress(const nlohmann::json& info, const std::string& name) {
  for (const auto& [key, least] : {std::pair("epoch", 1), std::pair("steps", 0)}) {
    if (!info.contains(key)) continue;
    const auto value = json_field<std::int64_t>(info, key, name);
    check(value >= least, "{}: '{}' is {}; expected {} or more", name, key, value, least);
    if (!info.contains("training")) continue;
    const auto state = json_field<std::int64_t>(info["training"], key, name + ": training");
    check(value == state, "{}: '{}' is {}, and {} in 'training'; the file is damaged", name, key,
          value, state);
  }
}

/// In what a training multiplied; earlier versions do not say.
void check_precision(const nlohmann::json& info, const std::string& name) {
  if (!info.contains("precision")) return;
  const auto precision = json_field<std::string>(info, "precision", name);
  const std::vector<std::string> all = precision_choices();
  check(precision != name_of(std::optional<ConvPrecision>()) &&
            std::find(all.begin(), all.end(), precision) != all.end(),
        "{}: 'precision' is '{}', and no training's; the file is damaged", name,
        printable_name(precision));
}

std::string optimizer_name(const optim::Optimizer::State& state) {
  return std::string(kOptimizerPrefix) + state.name;
}

}  // namespace

void check_values(const std::string& name, std::span<const float> values, const std::string& file) {
  if (const auto bad = find_not_finite(values))
    fail(
        "{}: tensor '{}': {} of {} values are NaN or infinite, the first at {}; the training that "
        "made it had diverged. Take a checkpoint from before that",
        file, name, bad->count, values.size(), bad->first);
  if (!name.ends_with(kVariance)) return;
  const auto below = std::find_if(values.begin(), values.end(), [](float v) { return v < 0; });
  check(below == values.end(), "{}: tensor '{}': found {} at {}, expected variances of 0 or more",
        file, name, below == values.end() ? 0 : *below, below - values.begin());
}

Checkpoint Checkpoint::open(const std::filesystem::path& path) {
  Checkpoint checkpoint{.path = path, .tensors = read_safetensors(path), .info = {}};
  const auto it = checkpoint.tensors.metadata.find(kKey);
  check(it != checkpoint.tensors.metadata.end(),
        "{}: a safetensors file without Glia's metadata; expected a checkpoint that `glia train` "
        "wrote; of weights from PyTorch or glia export-weights it is made by: glia import-weights "
        "--weights {} --out CHECKPOINT",
        path.string(), shell_word(path.string()));
  checkpoint.info = parse_json(it->second, path.string() + ": Glia's metadata");
  check(checkpoint.info.is_object() && checkpoint.info.contains("model") &&
            checkpoint.info.contains("preprocess"),
        "{}: Glia's metadata is damaged", path.string());
  const auto version = json_field<std::int64_t>(checkpoint.info, "version", 0, path.string());
  check(version == kVersion, "{}: found checkpoint version {}, this program reads {}",
        path.string(), version, kVersion);
  const std::string name = path.string() + ": Glia's metadata";
  check_progress(checkpoint.info, name);
  check_precision(checkpoint.info, name);
  return checkpoint;
}

void Checkpoint::check_weights(nn::Model& model) const {
  const std::string file = path.string();
  std::size_t known = 0;
  for (const auto* list : {&model.parameters().parameters(), &model.parameters().buffers()})
    for (const nn::Parameter& p : *list) {
      check_values(p.name, tensors.find(p.name, extents(p.shape), file), file);
      ++known;
    }
  for (const auto& tensor : tensors.entries) known += tensor.name.starts_with(kOptimizerPrefix);
  check(known == tensors.entries.size(),
        "{}: found {} tensors, the model has {}; was it written for another architecture?", file,
        tensors.entries.size(), known);
}

void Checkpoint::load_weights(nn::Model& model) const {
  check_weights(model);
  for (const auto* list : {&model.parameters().parameters(), &model.parameters().buffers()})
    for (const nn::Parameter& p : *list)
      p.value.copy_from(tensors.find(p.name, extents(p.shape), path.string()));
}

void Checkpoint::load_optimizer(optim::Optimizer& optimizer) const {
  const std::string file = path.string();
  for (const auto& state : optimizer.state()) {
    const std::string name = optimizer_name(state);
    const auto values = tensors.find(name, extents(state.value.shape()), file);
    check_values(name, values, file);
    check(name != kSquares ||
              std::none_of(values.begin(), values.end(), [](float v) { return v < 0; }),
          "{}: tensor '{}' holds a value below 0, and it is of squares; the file is damaged", file,
          name);
    state.value.copy_from(values);
  }
}

Preprocess Checkpoint::preprocess() const {
  return in_file(path, [this] { return Preprocess::from_json(info.at("preprocess")); });
}

namespace {

/// The tensors of a checkpoint, on the host.
class Snapshot {
 public:
  Snapshot(nn::Model& model, const optim::Optimizer* optimizer) {
    for (const auto& p : model.parameters().parameters()) add(p.name, p.value);
    for (const auto& p : model.parameters().buffers()) add(p.name, p.value);
    if (optimizer == nullptr) return;
    for (const auto& state : optimizer->state()) add(optimizer_name(state), state.value);
  }

  const std::vector<SafeTensors::Entry>& entries() const { return entries_; }

  void check_finite() const {
    for (const SafeTensors::Entry& entry : entries_)
      if (const auto bad = find_not_finite(entry.values))
        throw NotFiniteTensor(
            fmt::format("{} of {} values of {}", bad->count, entry.values.size(), entry.name));
  }

 private:
  void add(std::string name, const Tensor& t) {
    std::span<const float> values;
    if (t.device().allocator().on_host())
      values = {t.data<float>(), static_cast<std::size_t>(t.numel())};
    else
      values = copies_.emplace_back(t.to_vector<float>());
    entries_.push_back({.name = std::move(name), .shape = extents(t.shape()), .values = values});
  }

  std::vector<SafeTensors::Entry> entries_;
  std::deque<std::vector<float>> copies_;  // of a GPU's tensors, at addresses that stay
};

}  // namespace

void check_finite(nn::Model& model, const optim::Optimizer* optimizer) {
  Snapshot(model, optimizer).check_finite();
}

void save_checkpoint(const std::filesystem::path& path, nn::Model& model,
                     const optim::Optimizer* optimizer, const nlohmann::json& info) {
  const Snapshot snapshot(model, optimizer);
  snapshot.check_finite();
  nlohmann::json stamped = info;
  stamped["version"] = kVersion;
  write_safetensors(path, snapshot.entries(), {{"format", "pt"}, {kKey, json_text(stamped)}});
}

}  // namespace glia
