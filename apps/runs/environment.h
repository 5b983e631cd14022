// What a result depends on besides its configuration: recorded in run folders, shown by doctor.
#pragma once

#include <nlohmann/json.hpp>

namespace glia {

/// Version, compiler, build type, CPU, instruction set, cores, memory and library versions.
nlohmann::ordered_json describe_environment();

}  // namespace glia
