#include "engine/base/json.h"

#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/data/slices.h"

using namespace glia;
using Json = nlohmann::json;

namespace {

std::string json_error(const std::string& text) {
  return error_of([&] { parse_json(text, "f"); });
}

}  // namespace

TEST_CASE("json: nesting is bounded at every depth", "[json]") {
  for (const int depth : {1, 63, 64})
    CHECK(json_error(std::string(depth, '[') + std::string(depth, ']')).empty());
  for (const int depth : {65, 1000, 80000, 1000000}) {
    const std::string open(static_cast<std::size_t>(depth), '[');
    CHECK_THAT(json_error(open + std::string(static_cast<std::size_t>(depth), ']')),
               ContainsSubstring("f: JSON that nests deeper than 64 levels, at line 1"));
    CHECK_THAT(json_error(open), ContainsSubstring("nests deeper"));
    std::string objects;
    for (int i = 0; i < depth; ++i) objects += "{\"a\":";
    CHECK_THAT(json_error(objects), ContainsSubstring("nests deeper"));
  }
  CHECK(parse_json("[\"[[[[\\\"[[\", 1]", "f").size() == 2);
}

TEST_CASE("json: what is wrong is said in our words, with the place", "[json]") {
  CHECK(json_error("{\"a\": 1,\n \"b\" 2}") ==
        "f: no valid JSON at line 2, column 6; mend it or copy the file again");
  CHECK_THAT(json_error(""), ContainsSubstring("f: no valid JSON at line 1"));
  CHECK_THAT(json_error("\"\xFF\""), ContainsSubstring("no valid JSON"));
  CHECK_THAT(json_error("[1e999]"), ContainsSubstring("a number that no computer holds"));
}

TEST_CASE("json: fields have the type that is asked for", "[json]") {
  const Json json = parse_json(
      R"({"i": 5, "n": -5, "d": 2.7, "s": "x", "b": true, "u": 18446744073709551615})", "f");
  CHECK(json_field<std::int64_t>(json, "i", "f") == 5);
  CHECK(json_field<double>(json, "i", "f") == 5.0);
  CHECK(json_field<bool>(json, "b", "f"));
  CHECK(json_field<std::string>(json, "s", "f") == "x");
  CHECK(json_field<std::int64_t>(json, "none", 7, "f") == 7);
  const auto error = [&](auto example, const char* key) {
    return error_of([&] { json_field<decltype(example)>(json, key, "f"); });
  };
  CHECK(error(std::int64_t{}, "d") == "f: 'd' is 2.7; expected a whole number");
  CHECK(error(std::int64_t{}, "s") == "f: 's' is \"x\"; expected a whole number");
  CHECK(error(std::int64_t{}, "u") == "f: 'u' is 18446744073709551615; expected a whole number");
  CHECK(error(std::uint64_t{}, "n") == "f: 'n' is -5; expected a whole number of at least 0");
  CHECK(error(bool{}, "i") == "f: 'i' is 5; expected true or false");
  CHECK(error(std::string{}, "b") == "f: 'b' is true; expected a text");
  CHECK(error(double{}, "gone") == "f: has no 'gone'; expected a number");
  CHECK(error_of([] { json_field<bool>(Json::array(), "a", true, "f"); }) ==
        "f: has no 'a'; expected true or false");
}

TEST_CASE("json: of files that may be anybody's, what is none is null", "[json]") {
  CHECK(json_or_null("{\"a\": 1}")["a"] == 1);
  CHECK(json_or_null("{").is_null());
  CHECK(json_or_null(std::string(100000, '[') + std::string(100000, ']')).is_null());
}

TEST_CASE("json: bytes that are no UTF-8 are written all the same", "[json]") {
  CHECK(json_text(Json{{"name", "a\xFF"}}) == R"({"name":"a\\xFF"})");
}
