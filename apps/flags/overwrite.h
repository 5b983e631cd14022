// The flag of commands that write files with names of their own into a folder.
#pragma once

namespace glia {

inline constexpr const char* kOverwrite = "--overwrite";
inline constexpr const char* kOverwriteHelp =
    "Replace what --out holds under the names that are to be written";

}  // namespace glia
