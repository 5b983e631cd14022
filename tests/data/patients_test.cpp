#include "engine/data/patients.h"

#include "engine/data/csv_table.h"
#include "engine/data/split_folder.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/temp_folder.h"

using namespace glia;

namespace {

const std::vector<std::string> kIds = {"1", "2", "21"};

}  // namespace

TEST_CASE("patients: what was asked for, then earlier rules in order, then the table",
          "[patients]") {
  const TempFolder folder;
  const auto find = [&](const std::string& given, const std::vector<EarlierRule>& earlier) {
    return find_patients(kIds, given, earlier, folder.path());
  };
  CHECK_FALSE(find("", {}).known());
  CHECK(find("", {}).at("1").empty());
  CHECK_FALSE(find("", {{"", "a"}, {"none", "b"}}).known());

  const Patients asked = find("id/20", {{"id/1", "a"}});
  CHECK(asked.str() == "2, by id/20 (--group-by)");
  CHECK((asked.at("1") == asked.at("2") && asked.at("1") != asked.at("21")));
  CHECK(asked.at("7").empty());
  CHECK(find("", {{"none", "a"}, {"id/1", "b"}, {"id/20", "c"}}).str() == "3, by id/1 (b)");

  write_bytes(folder.path() / "manifest.csv", "id,group\n1,x\n2,x\n21,y\n");
  const Patients table = find("", {});
  CHECK(table.rule == "csv:" + (folder.path() / "manifest.csv").string());
  CHECK(table.count() == 2);
  CHECK_FALSE(find("none", {{"id/1", "a"}}).known());
  // The same patients under other names are no reason for doubt.
  CHECK(find("", {{"id/20", "a"}}).warnings.empty());
  REQUIRE(find("", {{"id/1", "a"}}).warnings.size() == 1);
  CHECK_THAT(find("", {{"id/1", "a"}}).warnings[0],
             ContainsSubstring("manifest.csv knows 2 patients, not 3; to go by it pass"));
  CHECK(find("id/1", {}).warnings.empty());
}

TEST_CASE("patients: rules that do not fit, are damaged or gone", "[patients]") {
  const TempFolder folder;
  const auto find = [&](const EarlierRule& earlier) {
    return find_patients(kIds, "", {earlier}, folder.path());
  };
  const Patients unfit = find({"regex:^(2)", "the split"});
  CHECK_FALSE(unfit.known());
  REQUIRE(unfit.warnings.size() == 1);
  CHECK(unfit.warnings[0] == "the split: regex:^(2) says nothing about 1 of 3 slices: 1");
  CHECK_THAT(error_of([&] {
               find({"patient", "the split"});
             }),
             ContainsSubstring("the split: --group-by patient: expected id/N"));
  const std::string gone = (folder.path() / "gone.csv").string();
  CHECK_THAT(error_of([&] {
               find({"csv:" + gone, "the split"});
             }),
             ContainsSubstring(gone + ": is not there, and by it the split says whose"));
  write_bytes(folder.path() / "manifest.csv", "id,group\n1,x\n");
  CHECK_THAT(find_patients(kIds, "", {}, folder.path()).warnings.at(0),
             ContainsSubstring("manifest.csv says nothing about 2 of 3 slices: 2, 21"));
  // A table that does not help is not advised.
  CHECK_THAT(error_of([&] {
               find({"csv:" + gone, "the split"});
             }),
             ContainsSubstring("csv:FILE with where it is now"));
  write_bytes(folder.path() / "manifest.csv", "name\n1\n");
  CHECK_THAT(error_of([&] { find_patients(kIds, "", {}, folder.path()); }),
             ContainsSubstring("has the columns name"));
  CHECK(find({"id/20", "the split"}).warnings.empty());
}

TEST_CASE("patients: the rule of a split is read from its manifest, and of nothing else",
          "[patients]") {
  const TempFolder folder;
  const auto data = folder.path() / "data", out = folder.path() / "split";
  for (int i = 0; i < 4; ++i) write_pair(data, std::to_string(20 * i), static_cast<float>(i), 1);
  write_bytes(folder.path() / "t.csv", "id,group\n0,a\n20,b\n40,c\n60,c\n");
  const std::string table = "csv:" + (data / ".." / "t.csv").string();
  write_split({data, out, {.group_by = table}});
  CHECK(rule_of_split(out) == "csv:" + (folder.path() / "t.csv").string());
  CHECK(rule_of_split(data).empty());
  write_bytes(data / "manifest.json", "{\"group_by\": \"id/20\"}");
  CHECK(rule_of_split(data).empty());
  write_bytes(data / "manifest.json", "[1]");
  CHECK(rule_of_split(data).empty());
  write_bytes(data / "manifest.json", "{\"made_by\": \"glia split\", \"group_by\": 3}");
  CHECK_THAT(error_of([&] { rule_of_split(data); }), ContainsSubstring("manifest.json"));
  write_bytes(data / "manifest.json", "{");
  CHECK_THAT(error_of([&] { rule_of_split(data); }), ContainsSubstring("manifest.json"));
}

TEST_CASE("tables: rows, columns and what is wrong with them", "[patients]") {
  const TempFolder folder;
  const auto file = folder.path() / "t.csv";
  write_bytes(file, "\xEF\xBB\xBFid, \"a,b\"\r\n\r\n1,\"x\"\"y\"\r\n'=2,\n");
  const CsvTable table = CsvTable::read(file);
  CHECK(table.header == std::vector<std::string>{"id", "a,b"});
  CHECK(table.find_column("a,b") == std::size_t{1});
  CHECK_FALSE(table.find_column("c").has_value());
  REQUIRE(table.rows.size() == 2);
  CHECK((table.rows[0].line == 3 && table.rows[0].cells[1] == "x\"y"));
  CHECK((table.rows[1].line == 4 && table.rows[1].cells[0] == "'=2"));
  write_bytes(file, "id\n1,2\n");
  CHECK_THAT(error_of([&] { CsvTable::read(file); }),
             ContainsSubstring("t.csv:2: expected 1 cells, one a column, found 2"));
}
