// What --help prints: the same lines with every version of CLI11, none wider than a page.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace glia {

/// Usage, options with type and default ("--depth INT=4"), subcommands, and the footer as it is.
/// Errors: none.
class HelpText : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
};

/// `text` in lines of at most `width` columns, cut at blanks; all but the first start with `indent`
/// blanks, which do not count. A word that is wider has a line of its own.
std::string wrap(const std::string& text, std::size_t width, std::size_t indent);

}  // namespace glia
