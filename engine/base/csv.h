// Cells of CSV tables (RFC 4180) that spreadsheets take as text.
#pragma once

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

namespace glia {

/// Whether a spreadsheet would compute the cell instead of showing it, or hide its first quote.
/// Numbers are what they are.
inline bool looks_like_formula(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of('\''), text.size()));
  if (text.empty() || std::string_view("=+-@\t\r").find(text[0]) == std::string_view::npos)
    return false;
  if (text[0] != '-' && text[0] != '+') return true;
  const std::string_view digits = text.substr(1);
  if (digits.find_first_of("0123456789.") != 0) return true;
  double number = 0;
  const char* last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, number);
  return error != std::errc() || end != last;
}

/// `text` as a cell: in quotes where it holds a comma, a quote or the end of a line, and with a
/// single quote in front where it would be taken for a formula.
inline std::string csv_cell(const std::string& text) {
  const std::string shown = looks_like_formula(text) ? "'" + text : text;
  if (shown.find_first_of(",\"\r\n\t") == std::string::npos) return shown;
  std::string cell = "\"";
  for (const char c : shown) cell += c == '"' ? std::string("\"\"") : std::string(1, c);
  return cell + "\"";
}

/// What `csv_cell` was given, of a cell whose outer quotes are gone: "'=a" is "=a".
inline std::string csv_text(std::string cell) {
  if (cell.starts_with('\'') && looks_like_formula(cell)) cell.erase(0, 1);
  return cell;
}

}  // namespace glia
