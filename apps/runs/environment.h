// What a result depends on besides its configuration: recorded in run folders, shown by doctor.
#pragma once

#include <nlohmann/json.hpp>

namespace glia {

/// A record of a run costs nothing: no GPU gets a context for it, and libraries that the run may
/// not need are not loaded. `doctor` looks closely.
enum class Look { brief, close };

/// Version, compiler, build type, CPU, instruction set, cores, memory and library versions.
nlohmann::ordered_json describe_environment(Look look = Look::brief);

}  // namespace glia
