// What glia bench wrote, read again.
#include <map>
#include <nlohmann/json.hpp>

#include "benchmarks/suite/compare.h"
#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/text.h"

namespace glia::bench {

namespace {

using Json = nlohmann::json;

constexpr std::int64_t kFormat = 1;

/// The text of a value that may be of any type; "" of null.
std::string text_of(const Json& json, const char* key) {
  const auto at = json.find(key);
  if (at == json.end() || at->is_null()) return "";
  return printable_name(at->is_string() ? at->get<std::string>() : json_text(*at));
}

std::vector<double> samples_of(const Json& samples, const std::string& name) {
  std::vector<double> seconds;
  if (!samples.is_array()) return seconds;
  for (const Json& sample : samples) {
    check(sample.is_number() && sample.get<double>() > 0,
          "{}: a sample is '{}', expected seconds above 0", name, json_text(sample));
    seconds.push_back(sample.get<double>());
  }
  return seconds;
}

/// "2x16x16 3>4 3x3" as the table has it.
std::string shape_of(const Json& row) {
  std::string text = fmt::format("{}x{}x{} {}", text_of(row, "N"), text_of(row, "H"),
                                 text_of(row, "W"), text_of(row, "C"));
  if (text_of(row, "K") != "0") text += ">" + text_of(row, "K");
  if (text_of(row, "R") != "0") text += fmt::format(" {}x{}", text_of(row, "R"), text_of(row, "S"));
  return text;
}

TimedItem row_item(const Json& row, const std::string& file) {
  TimedItem item;
  for (const char* field :
       {"base_width", "batch_size", "layer", "op", "phase", "kernel", "N", "H", "W", "C", "K", "R",
        "S", "stride", "stride_w", "pad", "pad_left", "dtype", "implementation"})
    item.key += text_of(row, field) + "|";
  item.name = fmt::format("{} {} {} {} {}", text_of(row, "layer"), text_of(row, "op"),
                          text_of(row, "phase"), shape_of(row), text_of(row, "implementation"));
  item.how = text_of(row, "algorithm");
  if (item.how.empty()) item.how = text_of(row, "arithmetic");
  item.problem = text_of(row, "problem");
  const auto samples = row.find("samples_s");
  if (samples != row.end() && samples->is_object())
    item.seconds = samples_of(samples->value("warm", Json()), file + ": " + item.name);
  return item;
}

TimedItem step_item(const Json& step, const std::string& file) {
  TimedItem item;
  for (const char* field : {"base_width", "depth", "batch_size", "size", "implementation", "mode"})
    item.key += text_of(step, field) + "|";
  item.name =
      fmt::format("training step, base width {}, batch {}, {}x{}, {}, {}",
                  text_of(step, "base_width"), text_of(step, "batch_size"), text_of(step, "size"),
                  text_of(step, "size"), text_of(step, "implementation"), text_of(step, "mode"));
  item.how = text_of(step, "precision");
  item.problem = text_of(step, "problem");
  item.seconds = samples_of(step.value("samples_s", Json()), file + ": " + item.name);
  return item;
}

/// The objects of a list, none where there is no list.
Json objects_of(const Json& json, const char* key, const std::string& name) {
  Json list = json.value(key, Json::array());
  check(list.is_array(), "{}: '{}' is no list; give a file as glia bench --out wrote it", name,
        key);
  for (const Json& entry : list)
    check(entry.is_object(),
          "{}: '{}' holds {}, expected objects; give a file as glia bench --out "
          "wrote it",
          name, key, printable_name(json_text(entry)));
  return list;
}

/// An object's values as text, nested ones as "gpu.driver".
void flatten(const Json& json, const std::string& before,
             std::vector<std::pair<std::string, std::string>>& to) {
  for (const auto& [key, value] : json.items()) {
    const std::string name = printable_name(before + key);
    if (value.is_object())
      flatten(value, name + ".", to);
    else
      to.emplace_back(name, text_of(json, key.c_str()));
  }
}

/// Rows of one key, such as a case that stands twice in a list, are told apart by their order.
void number_repeated(std::vector<TimedItem>& items) {
  std::map<std::string, int> times;
  for (TimedItem& item : items)
    if (const int before = times[item.key]++; before > 0) item.key += fmt::format("#{}", before);
}

}  // namespace

BenchFile read_bench_file(const std::filesystem::path& path) {
  const std::string name = printable_name(path.string());
  const Json json = parse_json(read_text(path), name);
  check(json.is_object() && text_of(json, "program") == "glia bench",
        "{}: this is no bench.json; give files that glia bench --out FOLDER wrote", name);
  const auto format = json_field<std::int64_t>(json, "format", name);
  check(format == kFormat,
        "{}: found format {}, expected {}; compare files of one version of Glia, or time again",
        name, format, kFormat);
  BenchFile file{.name = name, .environment = {}, .items = {}};
  for (const char* part : {"environment", "settings"})
    if (json.contains(part) && json[part].is_object()) flatten(json[part], "", file.environment);
  for (const Json& step : objects_of(json, "steps", name))
    file.items.push_back(step_item(step, name));
  for (const Json& row : objects_of(json, "rows", name)) file.items.push_back(row_item(row, name));
  check(!file.items.empty(), "{}: has neither steps nor rows; time some with glia bench --out",
        name);
  number_repeated(file.items);
  return file;
}

}  // namespace glia::bench
