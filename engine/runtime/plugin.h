// Kernels of a user's shared library in place of ours (--plugin my.so; kernels/api/plugin.h).
#pragma once

#include <string>

#include "kernels/api/plugin.h"

namespace glia {

/// A library that is loaded, for good: its kernels may be called until the program ends.
struct Plugin {
  std::string file, name;
  std::string backend;  // "cpu", "emu" or "cuda"
  const GliaPlugin* entry;
};

/// Loads the library; the same file a second time is the same plugin. Throws `Error` naming the
/// file when there is none, when it is no shared library that this program can load, lacks the
/// entry point, or was built for another version of Glia.
const Plugin& load_plugin(const std::string& file);

/// A copy of `kernels` with the plugin's over them, which lives as long as the program. Throws
/// `Error` when the plugin is for another backend or replaces nothing; `taken` names the choice of
/// device, "cpu with --backend native" for instance.
const KernelTable& with_plugin(const Plugin& plugin, const KernelTable& kernels,
                               const std::string& taken);

/// Whether that entry of a table is not ours: null where none of both has the kernel.
bool replaces(const KernelTable& with, const KernelTable& ours, KernelId kernel);

}  // namespace glia
