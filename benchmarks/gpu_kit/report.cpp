#include "benchmarks/gpu_kit/report.h"

#include <fmt/format.h>

#include <cctype>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "benchmarks/gpu_kit/results.h"
#include "benchmarks/gpu_kit/tables.h"
#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/json.h"

namespace glia::kit {

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::size_t kRows = 40;

/// What a step found, if it found something.
const Json* found_by(const Json& results, const char* name) {
  for (const Json& step : results.at("steps"))
    if (step.at("name").get<std::string>() == name && step.contains("result"))
      return &step.at("result");
  return nullptr;
}

/// A table under its name, in both forms.
class Both {
 public:
  explicit Both(const std::string& title) : page_(title), text_(title + "\n") {}
  Page& page() { return page_; }
  void add(const std::string& name, const Table& table) {
    page_.heading(name);
    page_.table(table);
    text_ += "\n" + name + "\n" + text_of(table);
  }
  const std::string& text() const { return text_; }

 private:
  Page page_;
  std::string text_;
};

/// "nvidia-h200" of the machine's GPU; "no-gpu" or "emulator" without one.
std::string gpu_name(const Json& results) {
  if (results.at("kit").value("emulator", false)) return "emulator";
  const Json* machine = found_by(results, "machine");
  std::string name;
  if (machine && machine->contains("glia") && machine->at("glia").at("gpu").contains("cuda:0"))
    name = machine->at("glia").at("gpu").at("cuda:0").get<std::string>();
  name = name.substr(0, name.find(','));
  for (char& c : name)
    c = std::isalnum(static_cast<unsigned char>(c)) ? static_cast<char>(std::tolower(c)) : '-';
  return name.empty() ? "no-gpu" : name;
}

/// When the kit ran; of runs that do not say so, when it was packed.
std::string date_of(const Json& kit) {
  return kit.value("run_on", kit.value("date", std::string("undated")));
}

Both read_out(const Json& results) {
  Both both("GPU kit on " + gpu_name(results));
  both.add("Steps of the kit", status_table(results));
  if (const Json* ceilings = found_by(results, "ceilings");
      ceilings && ceilings->contains("ceilings"))
    both.add("At best", ceilings_table(*ceilings));
  if (const Table checks = checks_table(results); !checks.rows.empty())
    both.add("Whether the kernels compute what they should", checks);
  if (const Json* timing = found_by(results, "steps"); timing && timing->contains("cases"))
    for (const NamedTable& t : ladder_tables(*timing, "step")) both.add(t.name, t.table);
  if (const Json* timing = found_by(results, "inference"); timing && timing->contains("cases"))
    for (const NamedTable& t : ladder_tables(*timing, "inference"))
      both.add("Inference: " + t.name, t.table);
  if (const Json* rows = found_by(results, "rows"); rows && rows->contains("rows")) {
    both.add(fmt::format("The {} longest kernels", kRows), rows_table(*rows, kRows));
    if (rows->contains("roofline_svg"))
      both.page().chart(rows->at("roofline_svg").get<std::string>());
  }
  if (const Json* training = found_by(results, "training");
      training && training->contains("eager")) {
    const LineChart chart = loss_chart(*training);
    both.page().heading("Training");
    both.page().chart(to_svg({&chart, 1}));
  }
  if (const Json* machine = found_by(results, "machine")) {
    both.page().heading("Machine");
    both.page().table(settings_table(*machine));
  }
  both.page().heading("Kit");
  both.page().table(settings_table(results.at("kit")));
  return both;
}

}  // namespace

void report(const std::string& folder, const std::string& kept) {
  const fs::path file = fs::path(folder) / kResultsFile;
  const std::string text = read_file(file);
  const Json results = parse_json<Json>(text, file.string());
  check(results.is_object() && results.contains("kit") && results.contains("steps"),
        "{}: found no \"kit\" and \"steps\", expected a file of `gpu-kit run`", file.string());
  Both both = read_out(results);
  fmt::print("{}", both.text());
  const fs::path page = fs::path(folder) / "report.html";
  write_file_atomically(page, both.page().html());
  fmt::print("\nwritten to {}\n", page.string());
  if (kept.empty()) return;
  const fs::path copy = fs::path(kept) / fmt::format("{}-gpu-kit-{}.json",
                                                     date_of(results.at("kit")), gpu_name(results));
  std::error_code none;
  check(!fs::exists(copy, none) || read_file(copy) == text,
        "{}: is there and holds another run; rename it first, both are worth keeping",
        copy.string());
  write_file_atomically(copy, text);
  fmt::print("written to {}\n", copy.string());
}

}  // namespace glia::kit
