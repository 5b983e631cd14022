// Weights with PyTorch's names: there and back, what their shapes tell, what is refused.
#include "engine/export/torch_weights.h"

#include <nlohmann/json.hpp>

#include "models/registry.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/temp_folder.h"

using namespace glia;

namespace {

std::unique_ptr<UNet> make(Device& device, const UNetConfig& config, std::uint64_t seed) {
  auto net = std::make_unique<UNet>(config);
  net->parameters().allocate(device, seed);
  return net;
}

UNetConfig variant(int number) {
  UNetConfig config{.in_channels = 3, .base_width = 8, .depth = 2};
  if (number == 1) config.norm = nn::NormKind::group;
  if (number == 2) {
    config = UNetConfig::seed();
    config.base_width = 5;
    config.depth = 1;
    config.dropout = 0;
  }
  return config;
}

}  // namespace

TEST_CASE("weights: exported and imported they are the same bits", "[weights]") {
  const auto config = variant(GENERATE(0, 1, 2));
  CAPTURE(config.to_json().dump());
  const TempFolder folder;
  const auto path = folder.path() / "w.safetensors";
  const auto cpu = make_cpu_device(1);
  const auto net = make(*cpu, config, 1);
  export_weights(path, net->parameters(), {{"model", config.to_json()}});
  const SafeTensors weights = read_weights(path);
  CHECK(info_of(weights, "w")["model"] == config.to_json());
  CHECK(config_of_weights(weights, "w") == config.to_json());
  const auto other = make(*cpu, config, 2);
  CHECK(other->parameters().flat_values().to_vector<float>() !=
        net->parameters().flat_values().to_vector<float>());
  import_weights(weights, other->parameters(), "w");
  CHECK(other->parameters().flat_values().to_vector<float>() ==
        net->parameters().flat_values().to_vector<float>());
}

TEST_CASE("weights: the layout is PyTorch's", "[weights]") {
  const TempFolder folder;
  const auto path = folder.path() / "w.safetensors";
  const auto cpu = make_cpu_device(1);
  const auto net = make(*cpu, variant(0), 1);
  export_weights(path, net->parameters(), nullptr);
  const SafeTensors weights = read_weights(path);
  const auto here = net->parameters().parameters().front().value.to_vector<float>();  // [8,3,3,3]
  const auto there = weights.find("encoder.0.conv1.weight", {8, 3, 3, 3}, "w");
  // Output channel 2, input channel 1, row 0, column 2.
  CHECK(there[((2 * 3 + 1) * 3 + 0) * 3 + 2] == here[((2 * 3 + 0) * 3 + 2) * 3 + 1]);
  CHECK(weights.find("decoder.0.up.weight", {16, 8, 2, 2}, "w").size() == 512);
  CHECK(info_of(weights, "w").is_null());
}

TEST_CASE("weights: what PyTorch adds or lacks", "[weights]") {
  const TempFolder folder;
  const auto path = folder.path() / "w.safetensors";
  const auto cpu = make_cpu_device(1);
  const auto net = make(*cpu, variant(0), 1);
  export_weights(path, net->parameters(), nullptr);
  const SafeTensors whole = read_weights(path);
  const std::vector<float> extra(4);

  // A counter of another type, which read_weights leaves out: written by hand into the header.
  auto entries = whole.entries;
  const auto write = [&] { write_safetensors(path, entries, {{"format", "pt"}}); };
  entries.push_back({.name = "encoder.0.norm1.num_batches_tracked", .shape = {4}, .values = extra});
  write();
  import_weights(read_weights(path), net->parameters(), "w");

  entries.back().name = "classifier.weight";
  write();
  CHECK(error_of([&] {
          import_weights(read_weights(path), net->parameters(), "w");
        }).find("w: the tensor 'classifier.weight' has no place") == 0);
  entries = whole.entries;
  entries.pop_back();
  write();
  CHECK(error_of([&] {
          import_weights(read_weights(path), net->parameters(), "w");
        }).find("is missing") != std::string::npos);
  CHECK(error_of([&] {
          import_weights(whole, make(*cpu, {.base_width = 4, .depth = 2}, 0)->parameters(), "w");
        })
            .find("encoder.0.conv1.weight' has the shape [8, 3, 3, 3], the model expects [4, 3, 3, "
                  "3]") != std::string::npos);
  write_safetensors(path, entries, {{"glia", "{}"}});
  CHECK(error_of([&] { read_weights(path); }).find("checkpoint of Glia already") !=
        std::string::npos);
  write_safetensors(path, entries, {{"glia-weights", "no json"}});
  CHECK(!error_of([&] { info_of(read_weights(path), "w"); }).empty());
  write_safetensors(
      path, std::vector<SafeTensors::Entry>{{.name = "w", .shape = {4}, .values = extra}}, {});
  CHECK(error_of([&] {
          config_of_weights(read_weights(path), "w");
        }).find("encoder.0.conv1.weight") != std::string::npos);
}

TEST_CASE("weights: what wraps all names is named and left out", "[weights]") {
  const TempFolder folder;
  const auto path = folder.path() / "w.safetensors";
  const auto cpu = make_cpu_device(1);
  const auto net = make(*cpu, variant(0), 1);
  export_weights(path, net->parameters(), nullptr);
  const SafeTensors bare = read_weights(path);
  for (const std::string prefix : {"", "module.", "state_dict.", "state_dict.model._orig_mod."}) {
    auto entries = bare.entries;
    for (auto& entry : entries) entry.name = prefix + entry.name;
    write_safetensors(path, entries, {});
    SafeTensors weights = read_weights(path);
    CHECK(unwrap_names(weights, "w") == prefix);
    import_weights(weights, net->parameters(), "w");
    if (prefix.empty()) continue;
    entries.back().name = "epoch";
    write_safetensors(path, entries, {});
    CHECK_THAT(error_of([&] {
                 SafeTensors mixed = read_weights(path);
                 unwrap_names(mixed, "w");
               }),
               ContainsSubstring("some names begin with '" + prefix + "', but not 'epoch'"));
  }
}

TEST_CASE("weights: sizes are compared before memory is asked for", "[weights]") {
  const TempFolder folder;
  const auto path = folder.path() / "w.safetensors";
  const std::vector<float> none;
  write_safetensors(
      path, std::vector<SafeTensors::Entry>{{.name = "w", .shape = {0}, .values = none}}, {});
  UNet huge({.base_width = 1024, .depth = 7});  // not allocated: 618 GB in one layer
  CHECK_THAT(error_of([&] { check_weights(read_weights(path), huge.parameters(), "w"); }),
             ContainsSubstring("is missing"));
}
