#include "apps/runs/open_model.h"

#include <fmt/format.h>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/streams.h"
#include "engine/base/text.h"
#include "models/registry.h"

namespace glia {

namespace {

/// What training notes beside the weights is of the types that commands read it as.
void check_notes(const nlohmann::json& info, const std::string& name) {
  json_field<bool>(info, "leaking", false, name);
  json_field<std::string>(info, "val_hash", "", name);
  const auto split = info.find("split");
  if (split == info.end()) return;
  const std::string of_split = name + ": split";
  check(split->is_object(), "{}: is no JSON object", of_split);
  json_field<std::int64_t>(*split, "identical_across_parts", 0, of_split);
}

}  // namespace

OpenModel open_model(const std::filesystem::path& path, Device& device) {
  const Checkpoint checkpoint = Checkpoint::open(path);
  OpenModel open{.model = in_file(path, [&] { return make_model(checkpoint.info.at("model")); }),
                 .preprocess = checkpoint.preprocess(),
                 .info = checkpoint.info};
  check_notes(open.info, path.string());
  checkpoint.check_weights(*open.model);
  in_file(path, [&] { open.preprocess.check_channels(open.model->in_channels()); });
  open.model->parameters().allocate(device);
  checkpoint.load_weights(*open.model);
  return open;
}

void say_other_precision(const OpenModel& open, Device& device) {
  const auto trained = open.info.find("precision");  // earlier versions do not say
  const std::string now = name_of(device.context().precision);
  if (trained == open.info.end() || !trained->is_string() || trained->get<std::string>() == now)
    return;
  print_note(fmt::format("precision: trained with convolutions in {}, computed in {} here",
                         printable(trained->get<std::string>()), now));
}

}  // namespace glia
