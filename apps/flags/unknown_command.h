// What is said of a command that there is not.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace glia {

/// The first word of the command line, if it is none of `app`'s commands, in a sentence with those
/// that are spelled nearly so, else with all; empty when it is one, or a flag.
std::string unknown_command(const CLI::App& app, int argc, const char* const* argv);

}  // namespace glia
