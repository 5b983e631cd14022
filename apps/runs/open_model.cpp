#include "apps/runs/open_model.h"

#include "engine/base/file.h"
#include "models/registry.h"

namespace glia {

OpenModel open_model(const std::filesystem::path& path, Device& device) {
  const Checkpoint checkpoint = Checkpoint::open(path);
  OpenModel open{.model = in_file(path, [&] { return make_model(checkpoint.info.at("model")); }),
                 .preprocess = checkpoint.preprocess(),
                 .info = checkpoint.info};
  checkpoint.check_weights(*open.model);
  open.model->parameters().allocate(device);
  checkpoint.load_weights(*open.model);
  return open;
}

}  // namespace glia
