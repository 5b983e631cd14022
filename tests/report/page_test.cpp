// Pages: text is escaped, pictures are inside, nothing is fetched.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/report/page.h"
#include "tests/catch.h"

using glia::Page;
using glia::Table;

namespace {

bool contains(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("base64 follows the examples of RFC 4648", "[report]") {
  const std::vector<std::pair<std::string, std::string>> examples{{"", ""},
                                                                  {"f", "Zg=="},
                                                                  {"fo", "Zm8="},
                                                                  {"foo", "Zm9v"},
                                                                  {"foob", "Zm9vYg=="},
                                                                  {"fooba", "Zm9vYmE="},
                                                                  {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : examples) CHECK(glia::base64(bytes) == text);
  CHECK(glia::base64(std::string("\0\xFF\x80", 3)) == "AP+A");
}

TEST_CASE("text cannot become markup", "[report]") {
  CHECK(glia::html_escape("a<b>&\"c\"\x01\x7F\n") == "a&lt;b&gt;&amp;&quot;c&quot;   ");
  CHECK(glia::html_escape("Größe 腦 🧠") == "Größe 腦 🧠");
  CHECK(glia::html_escape("<\xFF>") == "&lt;\\xFF&gt;");
  CHECK(glia::html_escape("\xE2\x82") == "\\xE2\\x82");  // a character cut off
  Page page("<script>title");
  page.heading("<script>heading");
  page.text("<script>text");
  page.warning("<script>warning");
  page.list(std::vector<std::string>{"<script>item"});
  page.table({.head = {"<script>head"}, .rows = {{"<script>cell"}}});
  page.figures(std::vector<glia::Figure>{{"png", "\"><script>caption"}});
  CHECK_FALSE(contains(page.html(), "<script"));
  CHECK(contains(page.html(), "&lt;script&gt;cell"));
}

TEST_CASE("a page fetches nothing and says when it grows", "[report]") {
  Page page("t");
  page.figures(std::vector<glia::Figure>{{"foobar", "a slice"}});
  const std::string html = page.html();
  CHECK(contains(html, "src=\"data:image/png;base64,Zm9vYmFy\""));
  CHECK(contains(html, "alt=\"a slice\""));
  CHECK(contains(html, "prefers-color-scheme: dark"));
  CHECK(contains(html, "@media print"));
  for (const char* word : {"http:", "https:", "<link", "@import", "url(", "<script", "http-equiv"})
    CHECK_FALSE(contains(html, word));
  page.refresh_every(7);
  CHECK(contains(page.html(), "<meta http-equiv=\"refresh\" content=\"7\">"));
}

TEST_CASE("tables need a cell a column; long ones scroll", "[report]") {
  Page page("t");
  Table table{.head = {"name", "value"}, .rows = {{"a", "1"}}};
  page.table(table);
  CHECK(contains(page.html(), "<td class=\"words\">a</td><td>1</td>"));
  CHECK_FALSE(contains(page.html(), "class=\"box long\""));
  table.rows.assign(100, {"a", "1"});
  page.table(table);
  CHECK(contains(page.html(), "class=\"box long\""));
  table.rows.push_back({"alone"});
  CHECK_THROWS_AS(page.table(table), glia::Error);
}

TEST_CASE("settings become names and values", "[report]") {
  const nlohmann::ordered_json settings = {
      {"train", {{"optimizer", {{"kind", "adam"}, {"beta1", 0.9}}}, {"epochs", 5}}},
      {"mean", {1, 2}},
      {"bad", "\xFF"}};
  const Table table = glia::settings_table(settings);
  using Row = std::vector<std::string>;
  REQUIRE(table.rows.size() == 5);
  CHECK(table.rows[0] == Row{"train.optimizer.kind", "adam"});
  CHECK(table.rows[1] == Row{"train.optimizer.beta1", "0.9"});
  CHECK(table.rows[2] == Row{"train.epochs", "5"});
  CHECK(table.rows[3] == Row{"mean", "[1,2]"});
}
