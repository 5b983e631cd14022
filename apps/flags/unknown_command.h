// What is said of commands and flags that there are not.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace glia {

/// The first word of the command line, if it is none of `app`'s commands, in a sentence with those
/// that are spelled nearly so, else with all; if it is none of its flags, likewise. Empty when it
/// is one.
std::string unknown_command(const CLI::App& app, int argc, const char* const* argv);

/// After a parse that failed: the first flag, else the first word, that the command was given and
/// does not know, in a sentence with the flags that are spelled nearly so; empty when there is
/// none.
std::string unknown_words(const CLI::App& app);

/// What CLI11 says of a flag that was given too often, in our words; what else it says as it is.
std::string in_plain_words(const std::string& message);

}  // namespace glia
