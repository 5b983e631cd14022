// The flag of commands that write files, without which they replace none.
#pragma once

namespace glia {

inline constexpr const char* kOverwrite = "--overwrite";
inline constexpr const char* kOverwriteHelp =
    "Replace what --out holds under the names that are to be written";
inline constexpr const char* kOverwriteFileHelp = "Replace the file that is to be written";

}  // namespace glia
