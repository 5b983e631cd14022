#include "engine/base/text.h"

#include "engine/base/check.h"
#include "engine/base/csv.h"
#include "engine/base/problems.h"
#include "tests/catch.h"
#include "tests/data/slices.h"

using namespace glia;

TEST_CASE("text: what a terminal would obey is written out", "[text]") {
  CHECK(printable("a\x1B[2Jb") == "a\\x1B[2Jb");
  CHECK(printable("a\x07\x7F\r") == "a\\x07\\x7F\\x0D");
  CHECK(printable("line\n\tmore") == "line\n\tmore");
  CHECK(printable_name("line\n\tmore") == "line\\x0A\\x09more");
  CHECK(printable("\xC2\x9B"
                  "31m") ==
        "\\xC2\\x9B"
        "31m");  // a control character of Latin-1
  CHECK(printable("\xE2\x80\xAEgnp.exe") == "\\xE2\\x80\\xAEgnp.exe");  // right to left
  CHECK(printable("tumör 脑 🧠 µ") == "tumör 脑 🧠 µ");
  CHECK(printable("\xFF"
                  "a\xC3") ==
        "\\xFF"
        "a\\xC3");
  CHECK(printable("\xC0\xAF") == "\\xC0\\xAF");           // a slash, too long
  CHECK(printable("\xED\xA0\x80") == "\\xED\\xA0\\x80");  // half of a pair
  CHECK(printable("\xF4\x90\x80\x80") == "\\xF4\\x90\\x80\\x80");
  CHECK(error_of([] { fail("{}: no", "x\x1B]0;title\x07"); }) == "x\\x1B]0;title\\x07: no");
}

TEST_CASE("text: bytes that are no UTF-8 are written out, and paths can be read back", "[text]") {
  CHECK(is_utf8("tumör 脑 🧠\x1B\n"));
  CHECK_FALSE(is_utf8("a\xFF"));
  CHECK_FALSE(is_utf8("\xE2\x82"));
  CHECK(utf8_text("tumör\x1B\n\xFF\xE2\x82") == "tumör\x1B\n\\xFF\\xE2\\x82");
  for (const std::string path : {"/plain/tumör 脑",
                                 "/a\xFF"
                                 "b/c",
                                 "\\xFF", "\\x\xFF", "\\xF\xFF", "\\\\xFF", "a\\b\\xfF", "\\",
                                 "\\x", "\\x5C", "\xC3\\xA4", ""}) {
    CAPTURE(path);
    const std::string text = text_of_path(path);
    CHECK(is_utf8(text));
    CHECK(path_of_text(text).string() == path);
  }
  CHECK(text_of_path("/plain/tumör\\x 脑") == "/plain/tumör\\x 脑");
  CHECK(text_of_path("/a\xFF") == "/a\\xFF");
  CHECK(text_of_path("/a\\xFF") == "/a\\x5CxFF");
}

TEST_CASE("text: lists are cut with a count", "[text]") {
  CHECK(first_few({}) == "");
  CHECK(first_few({"a", "b"}) == "a, b");
  CHECK(first_few({"a", "b", "c", "d"}, 3) == "a, b, c and 1 more");
  Problems problems;
  for (int i = 0; i < 7; ++i) problems.add("things", "t" + std::to_string(i));
  problems.add("others", "o");
  CHECK(problems.count() == 8);
  CHECK(problems.text(false) ==
        "  t0\n  t1\n  t2\n  t3\n  t4\n  and 2 more things\n  o\n  (--all-problems names all)");
  CHECK(problems.text(true) == "  t0\n  t1\n  t2\n  t3\n  t4\n  t5\n  t6\n  o");
  CHECK(problems.lines(1) == std::vector<std::string>{"t0", "and 6 more things", "o"});
}

TEST_CASE("text: cells of tables are no formulas, and numbers stay numbers", "[text]") {
  for (const std::string formula :
       {"=1+1", "+cmd", "-2+3", "@sum", "\tx", "'=1", "''-a", "-", "+-5"}) {
    CAPTURE(formula);
    CHECK(looks_like_formula(formula));
    const std::string cell = csv_cell(formula);
    CHECK(cell.find('\'') <= 1);
    const bool quoted = cell.starts_with('"');
    CHECK(csv_text(quoted ? cell.substr(1, cell.size() - 2) : cell) == formula);
  }
  for (const std::string plain : {"-5", "+3", "-1.5e-3", "a=b", "", "'", "'x", "p 1", "'-5"}) {
    CAPTURE(plain);
    CHECK(csv_cell(plain) == plain);
    CHECK(csv_text(plain) == plain);
  }
  CHECK(csv_cell("=a,b") == "\"'=a,b\"");
}
