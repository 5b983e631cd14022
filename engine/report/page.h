// A report as one HTML file that needs nothing else: no network, no script, pictures inside. It
// follows the reader's light or dark preference and prints on paper.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace glia {

/// Cells as plain text; the first `text_columns` are text, the others numbers.
struct Table {
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;
  std::size_t text_columns = 1;
};

/// A picture, the bytes of a PNG file, with what stands below it.
struct Figure {
  std::string png, caption;
};

/// Put together from top to bottom. All text is plain and escaped here.
class Page {
 public:
  explicit Page(std::string title) : title_(std::move(title)) {}

  void heading(std::string_view text);
  void text(std::string_view paragraph);
  /// A paragraph that stands out: what a reader must not miss.
  void warning(std::string_view paragraph);
  void list(std::span<const std::string> items);
  /// A long table scrolls in a box of its own, except on paper.
  void table(const Table& table);
  /// A chart of `to_svg`, as it is.
  void chart(std::string_view svg);
  /// Side by side, as many as fit.
  void figures(std::span<const Figure> figures);
  /// Lets a browser that shows the page load it again every so often: for a report that grows.
  void refresh_every(int seconds) { refresh_ = seconds; }

  std::string html() const;

 private:
  std::string title_, body_;
  std::optional<int> refresh_;
};

/// Two columns, name and value; nested objects become names with dots, lists one cell.
Table settings_table(const nlohmann::ordered_json& settings);

/// "-" when undefined.
std::string cell(const std::optional<double>& value, int digits = 4);

/// Text for between tags and in quoted attributes.
std::string html_escape(std::string_view text);

/// RFC 4648, with padding.
std::string base64(std::string_view bytes);

}  // namespace glia
