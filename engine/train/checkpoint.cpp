#include "engine/train/checkpoint.h"

#include <algorithm>
#include <deque>

namespace glia {

namespace {

constexpr const char* kKey = "glia";
constexpr int kVersion = 1;
constexpr std::string_view kOptimizerPrefix = "optimizer.";

std::vector<std::int64_t> extents(const Shape& shape) {
  std::vector<std::int64_t> list;
  for (int d = 0; d < shape.rank(); ++d) list.push_back(shape[d]);
  return list;
}

std::string optimizer_name(const optim::Optimizer::State& state) {
  return std::string(kOptimizerPrefix) + state.name;
}

}  // namespace

Checkpoint Checkpoint::open(const std::filesystem::path& path) {
  Checkpoint checkpoint{.path = path, .tensors = read_safetensors(path), .info = {}};
  const auto it = checkpoint.tensors.metadata.find(kKey);
  check(it != checkpoint.tensors.metadata.end(),
        "{}: a safetensors file without Glia's metadata; expected a checkpoint that `glia train` "
        "wrote",
        path.string());
  checkpoint.info = nlohmann::json::parse(it->second, nullptr, false);
  check(checkpoint.info.is_object() && checkpoint.info.contains("model") &&
            checkpoint.info.contains("preprocess"),
        "{}: Glia's metadata is damaged", path.string());
  const int version = checkpoint.info.value("version", 0);
  check(version == kVersion, "{}: found checkpoint version {}, this program reads {}",
        path.string(), version, kVersion);
  return checkpoint;
}

void Checkpoint::load_weights(nn::Model& model) const {
  const std::string file = path.string();
  std::size_t known = 0;
  const auto load = [&](const nn::Parameter& p) {
    p.value.copy_from(tensors.find(p.name, extents(p.shape), file));
    ++known;
  };
  std::for_each(model.parameters().parameters().begin(), model.parameters().parameters().end(),
                load);
  std::for_each(model.parameters().buffers().begin(), model.parameters().buffers().end(), load);
  for (const auto& tensor : tensors.entries) known += tensor.name.starts_with(kOptimizerPrefix);
  check(known == tensors.entries.size(),
        "{}: found {} tensors, the model has {}; was it written for another architecture?", file,
        tensors.entries.size(), known);
}

void Checkpoint::load_optimizer(optim::Optimizer& optimizer) const {
  for (const auto& state : optimizer.state())
    state.value.copy_from(
        tensors.find(optimizer_name(state), extents(state.value.shape()), path.string()));
}

Preprocess Checkpoint::preprocess() const {
  return Preprocess::from_json(info.at("preprocess"));
}

void save_checkpoint(const std::filesystem::path& path, nn::Model& model,
                     const optim::Optimizer* optimizer, const nlohmann::json& info) {
  std::vector<SafeTensors::Entry> entries;
  std::deque<std::vector<float>> copies;  // of a GPU's tensors, at addresses that stay
  const auto values = [&](const Tensor& t) -> std::span<const float> {
    if (t.device().allocator().on_host())
      return {t.data<float>(), static_cast<std::size_t>(t.numel())};
    return copies.emplace_back(t.to_vector<float>());
  };
  const auto add = [&](std::string name, const Tensor& t) {
    entries.push_back({.name = std::move(name), .shape = extents(t.shape()), .values = values(t)});
  };
  for (const auto& p : model.parameters().parameters()) add(p.name, p.value);
  for (const auto& p : model.parameters().buffers()) add(p.name, p.value);
  if (optimizer != nullptr)
    for (const auto& state : optimizer->state()) add(optimizer_name(state), state.value);
  nlohmann::json stamped = info;
  stamped["version"] = kVersion;
  write_safetensors(path, entries, {{"format", "pt"}, {kKey, stamped.dump()}});
}

}  // namespace glia
