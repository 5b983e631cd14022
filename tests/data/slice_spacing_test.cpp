#include "engine/data/slice_spacing.h"

#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/temp_folder.h"

using namespace glia;

TEST_CASE("spacing: what a table says of the slices that are asked for", "[spacing]") {
  const TempFolder folder;
  const auto table = folder.path() / "manifest.csv";
  const auto read = [&](const std::string& text) {
    write_bytes(table, text);
    return read_spacings(table, {"1", "2", "=x"});
  };
  const auto both = read("id,group,row_mm,column_mm\n1,a,0.5,1e1\n'=x,a,2,2\n3,a,7,7\n2,a,,\n");
  REQUIRE(both.size() == 2);
  CHECK((both.at("1").row == 0.5 && both.at("1").column == 10));
  CHECK(both.at("=x").row == 2);
  CHECK(read("id,group\n1,a\n").empty());
  CHECK(read("id,row_mm\n1,2\n").empty());
  CHECK(read("id,row_mm,column_mm\n1,2,2\n1,2,2\n").size() == 1);
  CHECK_THAT(error_of([&] { read("id,row_mm,column_mm\n1,2,2\n1,2,3\n"); }),
             ContainsSubstring("manifest.csv:3: the slice 1 has other distances above"));
  for (const char* length : {"0", "-1", "nan", "inf", "1e999", "2mm", "x"})
    CHECK_THAT(error_of([&] { read("id,row_mm,column_mm\n1," + std::string(length) + ",1\n"); }),
               ContainsSubstring("manifest.csv:2: the length '" + std::string(length) + "'"));
}
