#include "engine/report/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "engine/base/check.h"
#include "engine/base/json.h"
#include "engine/base/text.h"

namespace glia {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLongTable = 25;  // rows

constexpr std::string_view kStyle = R"(<style>
:root { color-scheme: light dark; --ink: #1d2127; --soft: #5a6270; --paper: #fff; --box: #f4f5f7;
  --edge: #d8dce2; --alert: #fdf1dc; --alert-edge: #d98e04; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e6ea; --soft: #a3a9b4; --paper: #16181d;
  --box: #20242b; --edge: #39404a; --alert: #3a2d12; --alert-edge: #d98e04; } }
body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; } h2 { margin-top: 2.2rem; font-size: 1.2rem; }
p, li { max-width: 48rem; }
p.alert { background: var(--alert); border-left: 4px solid var(--alert-edge); padding: .5rem .8rem; }
svg { max-width: 100%; height: auto; }
div.box { overflow: auto; margin: 1rem 0; } div.long { max-height: 26rem; border: 1px solid var(--edge); }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; border-bottom: 1px solid var(--edge); text-align: right; }
td { white-space: nowrap; } td.words { white-space: normal; }
th { background: var(--box); position: sticky; top: 0; }
th.words, td.words { text-align: left; overflow-wrap: anywhere; }
div.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem; }
figure { margin: 0; break-inside: avoid; } figure img { width: 100%; display: block; }
figcaption { font-size: .8rem; color: var(--soft); overflow-wrap: anywhere; }
@media print { :root { --ink: #000; --soft: #444; --paper: #fff; --box: #f4f5f7; --edge: #bbb;
  --alert: #fff; } body { margin: 0; max-width: none; font-size: 11pt; }
  div.long { max-height: none; border: none; } div.box { overflow: visible; } th { position: static; }
  table { font-size: 8pt; } th, td { padding: .1rem .35rem; }
  tr, svg, p { break-inside: avoid; } h2, h2 + p { break-after: avoid; }
  div.figures { grid-template-columns: repeat(3, 1fr); } }
</style>
)";

void flatten(const Json& json, const std::string& name, Table& table) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.items())
      flatten(value, name.empty() ? key : name + "." + key, table);
    return;
  }
  table.rows.push_back({name, json.is_string() ? json.get<std::string>() : json_text(json)});
}

}  // namespace

std::string html_escape(std::string_view text) {
  std::string out;
  for (const char c : utf8_text(text)) switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: {
        const auto byte = static_cast<unsigned char>(c);
        out += byte < 0x20 || byte == 0x7F ? ' ' : c;
      }
    }
  return out;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t here = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < here ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= here ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::string cell(const std::optional<double>& value, int digits) {
  return value ? fmt::format("{:.{}f}", *value, digits) : "-";
}

Table settings_table(const Json& settings) {
  Table table{.head = {"setting", "value"}, .rows = {}, .text_columns = 2};
  flatten(settings, "", table);
  return table;
}

void Page::heading(std::string_view text) {
  body_ += fmt::format("<h2>{}</h2>\n", html_escape(text));
}

void Page::text(std::string_view paragraph) {
  body_ += fmt::format("<p>{}</p>\n", html_escape(paragraph));
}

void Page::warning(std::string_view paragraph) {
  body_ += fmt::format("<p class=\"alert\">{}</p>\n", html_escape(paragraph));
}

void Page::list(std::span<const std::string> items) {
  body_ += "<ul>\n";
  for (const std::string& item : items) body_ += fmt::format("<li>{}</li>\n", html_escape(item));
  body_ += "</ul>\n";
}

void Page::table(const Table& table) {
  const auto row = [&](const char* tag, const std::vector<std::string>& cells) {
    check(cells.size() == table.head.size(), "report: a row of {} cells in a table of {} columns",
          cells.size(), table.head.size());
    body_ += "<tr>";
    for (std::size_t i = 0; i < cells.size(); ++i)
      body_ += fmt::format("<{0}{1}>{2}</{0}>", tag,
                           i < table.text_columns ? " class=\"words\"" : "", html_escape(cells[i]));
    body_ += "</tr>\n";
  };
  body_ += table.rows.size() > kLongTable ? "<div class=\"box long\" tabindex=\"0\"><table>\n"
                                          : "<div class=\"box\"><table>\n";
  body_ += "<thead>";
  row("th", table.head);
  body_ += "</thead><tbody>\n";
  for (const auto& cells : table.rows) row("td", cells);
  body_ += "</tbody></table></div>\n";
}

void Page::chart(std::string_view svg) {
  body_ += fmt::format("<div class=\"box\">{}</div>\n", svg);
}

void Page::figures(std::span<const Figure> figures) {
  body_ += "<div class=\"figures\">\n";
  for (const Figure& figure : figures) {
    const std::string caption = html_escape(figure.caption);
    body_ += fmt::format(
        "<figure><img alt=\"{0}\" src=\"data:image/png;base64,{1}\"><figcaption>{0}</figcaption>"
        "</figure>\n",
        caption, base64(figure.png));
  }
  body_ += "</div>\n";
}

std::string Page::html() const {
  const std::string title = html_escape(title_);
  const std::string refresh =
      refresh_ ? fmt::format("<meta http-equiv=\"refresh\" content=\"{}\">\n", *refresh_) : "";
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n{}"
      "<title>{}</title>\n{}</head>\n<body>\n<h1>{}</h1>\n{}</body>\n</html>\n",
      refresh, title, kStyle, title, body_);
}

}  // namespace glia
