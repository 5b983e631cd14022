#include "engine/data/split.h"

#include <algorithm>
#include <array>
#include <set>

#include "engine/data/group.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/temp_folder.h"

using namespace glia;

namespace {

/// Ids of `patients` patients with `slices` slices each, as id/20 groups them.
std::vector<std::string> make_ids(int patients, int slices) {
  std::vector<std::string> ids;
  for (int patient = 0; patient < patients; ++patient)
    for (int slice = 0; slice < slices; ++slice)
      ids.push_back(std::to_string(patient * 20 + slice));
  return ids;
}

std::set<std::string> groups_in(const Split& split, const std::vector<std::string>& part) {
  std::set<std::string> groups;
  for (const std::string& id : part) groups.insert(split.group_of.at(id));
  return groups;
}

std::string split_error(const std::vector<std::string>& ids, const SplitConfig& config) {
  return error_of([&] { split_ids(ids, config); });
}

}  // namespace

TEST_CASE("split: parts are disjoint, complete, and no group stands on two sides", "[split]") {
  const std::vector<std::string> ids = make_ids(30, 7);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Split split = split_ids(ids, {.val = 0.2, .test = 0.1, .seed = seed});
    CHECK(split.val.size() == 42);
    CHECK(split.test.size() == 21);
    CHECK_FALSE(split.leaking);
    std::vector<std::string> all, groups;
    for (const auto& part : {split.train, split.val, split.test}) {
      all.insert(all.end(), part.begin(), part.end());
      for (const std::string& group : groups_in(split, part)) groups.push_back(group);
    }
    CHECK(std::set<std::string>(all.begin(), all.end()).size() == ids.size());
    CHECK(all.size() == ids.size());
    CHECK(groups.size() == 30);
    CHECK(std::set<std::string>(groups.begin(), groups.end()).size() == 30);
  }
}

TEST_CASE("split: seed and ids decide, the order of ids does not", "[split]") {
  std::vector<std::string> ids = make_ids(12, 5);
  const Split first = split_ids(ids, {.seed = 3});
  std::reverse(ids.begin(), ids.end());
  const Split again = split_ids(ids, {.seed = 3}), other = split_ids(ids, {.seed = 4});
  CHECK(first.train == again.train);
  CHECK(first.val == again.val);
  CHECK(first.val != other.val);
  // Pinned: a manifest's seed must give the same lists in every build.
  CHECK(groups_in(first, first.val) == std::set<std::string>{"5", "8"});
}

TEST_CASE("split: another val share leaves the test part as it was", "[split]") {
  const std::vector<std::string> ids = make_ids(40, 3);
  CHECK(split_ids(ids, {.val = 0.1, .test = 0.2}).test ==
        split_ids(ids, {.val = 0.4, .test = 0.2}).test);
}

TEST_CASE("split: every part with a share gets a group, train too", "[split]") {
  const Split split = split_ids(make_ids(3, 20), {.val = 0.01, .test = 0.9});
  CHECK((split.train.size() == 20 && split.val.size() == 20 && split.test.size() == 20));
  const Split whole = split_ids(make_ids(1, 4), {.val = 0, .test = 0});
  CHECK((whole.train.size() == 4 && whole.val.empty() && whole.test.empty()));
}

TEST_CASE("split: parts have the nearest count of patients", "[split]") {
  const auto patients = [](int all, double val, double test) {
    const Split split = split_ids(make_ids(all, 4), {.val = val, .test = test});
    const auto count = [&](const auto& part) { return groups_in(split, part).size(); };
    return std::array{count(split.train), count(split.val), count(split.test)};
  };
  CHECK(patients(6, 0.2, 0.2) == std::array<std::size_t, 3>{4, 1, 1});
  CHECK(patients(8, 0.2, 0.2) == std::array<std::size_t, 3>{4, 2, 2});
  CHECK(patients(5, 0.3, 0) == std::array<std::size_t, 3>{4, 1, 0});  // 1.5: the fewer
  CHECK(patients(3, 0.01, 0.01) == std::array<std::size_t, 3>{1, 1, 1});
}

TEST_CASE("split: by slice is stamped as leaking", "[split]") {
  const Split split = split_ids(make_ids(1, 10), {.group_by = "none"});
  CHECK(split.leaking);
  CHECK(split.val.size() == 2);
}

TEST_CASE("split: shares and groups that do not fit", "[split]") {
  const std::vector<std::string> ids = make_ids(2, 3);
  CHECK_THAT(split_error(ids, {.val = 1}), ContainsSubstring("--val 1 and --test 0 do not fit"));
  CHECK_THAT(split_error(ids, {.val = -0.1}), ContainsSubstring("do not fit"));
  CHECK_THAT(split_error(ids, {.val = 0.5, .test = 0.5}), ContainsSubstring("do not fit"));
  CHECK_THAT(split_error(ids, {.val = std::numeric_limits<double>::quiet_NaN()}),
             ContainsSubstring("do not fit"));
  CHECK_THAT(split_error(ids, {.val = 0.2, .test = 0.2}),
             ContainsSubstring("finds 2 groups (patients) for 3 parts"));
}

TEST_CASE("split: groups by division, expression and table", "[split]") {
  const TempFolder folder;
  using Groups = std::map<std::string, std::string>;
  CHECK(assign_groups({"0", "19", "20", "0041"}, "id/20") ==
        Groups{{"0", "0"}, {"19", "0"}, {"20", "1"}, {"0041", "2"}});
  CHECK(assign_groups({"p07_1", "p08_1"}, "regex:^(p[0-9]+)_") ==
        Groups{{"p07_1", "p07"}, {"p08_1", "p08"}});
  const std::string table = (folder.path() / "groups.csv").string();
  write_bytes(table,
              "\xEF\xBB\xBFgroup, age,\"id\"\r\nanna,50,a\r\n\"bert\",60,b\r\n\r\nbert,60,b\r\n");
  CHECK(assign_groups({"a", "b"}, "csv:" + table) == Groups{{"a", "anna"}, {"b", "bert"}});
}

TEST_CASE("split: rules that do not fit name what is wrong", "[split]") {
  const TempFolder folder;
  const auto error = [](const std::vector<std::string>& ids, const std::string& rule) {
    return error_of([&] { assign_groups(ids, rule); });
  };
  CHECK_THAT(error({"1", "x7", "-3"}, "id/20"),
             ContainsSubstring("says nothing about 2 of 3 ids: x7, -3"));
  CHECK_THAT(error({"99999999999999999999"}, "id/20"), ContainsSubstring("says nothing about"));
  CHECK_THAT(error({"a_1"}, "regex:^(p[0-9]+)_"),
             ContainsSubstring("says nothing about 1 of 1 ids: a_1"));
  CHECK_THAT(error({"1"}, "id/0"), ContainsSubstring("expected id/N"));
  CHECK_THAT(error({"1"}, "id/two"), ContainsSubstring("expected id/N"));
  CHECK_THAT(error({"1"}, "patient"), ContainsSubstring("expected id/N, regex:EXPRESSION"));
  CHECK_THAT(error({"1"}, "regex:("), ContainsSubstring("not a regular expression"));
  CHECK_THAT(error({"1"}, "regex:1"), ContainsSubstring("has 0 capture groups"));
  const std::string table = (folder.path() / "t.csv").string();
  CHECK_THAT(error({"1"}, "csv:" + table), ContainsSubstring("no such file"));
  const auto table_error = [&](const std::string& text) {
    write_bytes(table, text);
    return error({"a", "b"}, "csv:" + table);
  };
  CHECK_THAT(table_error("id,patient\na,1\n"), ContainsSubstring("has the columns id, patient"));
  CHECK_THAT(table_error("id,group\na,1\nb\n"), ContainsSubstring("t.csv:3: expected 2 cells"));
  CHECK_THAT(table_error("id,group\na,1\nb,\n"), ContainsSubstring("t.csv:3: the group is empty"));
  CHECK_THAT(table_error("id,group\na,1\na,2\n"),
             ContainsSubstring("t.csv:3: the id a is in the groups 1 and 2"));
  CHECK_THAT(table_error("id,group\na,1\n"), ContainsSubstring("says nothing about 1 of 2 ids: b"));
}

TEST_CASE("split: twins across parts are counted where they are validated", "[split]") {
  Split split;
  split.train = {"1", "2", "3"};
  split.val = {"4", "5"};
  split.test = {"6"};
  CHECK(count_shared(
            split, {{"1", "a"}, {"2", "a"}, {"3", "b"}, {"4", "a"}, {"5", "c"}, {"6", "c"}}) == 3);
  CHECK(count_shared(
            split, {{"1", "a"}, {"2", "a"}, {"3", "a"}, {"4", "d"}, {"5", "d"}, {"6", "c"}}) == 0);
}
