#include "apps/runs/explain_files.h"

#include <fmt/format.h>

#include <utility>

#include "apps/pictures/title.h"
#include "engine/base/file.h"
#include "engine/base/json.h"

namespace glia {

namespace {

constexpr std::size_t kOnPage = 30;  // slices; more would make a page that no browser likes to open
constexpr const char* kReport = "report.html";
constexpr const char* kJson = "explain.json";

std::string name_of_map(const std::string& id, const std::string& method) {
  return fmt::format("{}_{}", id, method);
}

std::string name_of_sheet(const std::string& id) {
  return id + "_explain.png";
}

}  // namespace

ExplainFiles::ExplainFiles(std::filesystem::path out, IfThere if_there, std::string checkpoint,
                           const Explainer& explainer)
    : out_(std::move(out)),
      if_there_(if_there),
      checkpoint_(std::move(checkpoint)),
      explainer_(explainer) {}

std::vector<std::string> ExplainFiles::names_of(const std::string& id) const {
  std::vector<std::string> names{name_of_sheet(id)};
  for (const std::string& method : explainer_.settings().methods)
    for (const char* ending : {".npy", ".png"}) names.push_back(name_of_map(id, method) + ending);
  return names;
}

std::vector<std::string> ExplainFiles::names_of_all() {
  return {kReport, kJson};
}

void ExplainFiles::add(const Slice& slice, const Explanation& e) {
  std::vector<Picture> sheet{titled(e.slice, "slice " + e.id)};
  nlohmann::ordered_json maps = nlohmann::ordered_json::object();
  for (const HeatMap& map : e.maps) {
    const std::string name = name_of_map(e.id, map.method);
    write_npy<float>(out_ / (name + ".npy"), {slice.height, slice.width}, map.values, true,
                     if_there_);
    write_png(out_ / (name + ".png"), map.picture, if_there_);
    sheet.push_back(titled(
        map.picture, fmt::format("{}: {:.2g} to {:.2g}", map.method, map.minimum, map.maximum)));
    maps[map.method] = {{"file", name + ".npy"},
                        {"picture", name + ".png"},
                        {"minimum", map.minimum},
                        {"maximum", map.maximum}};
  }
  write_png(out_ / name_of_sheet(e.id), contact_sheet(sheet, static_cast<int>(sheet.size())),
            if_there_);
  if (shown_.size() < kOnPage) {
    std::vector<Figure> figures = explainer_.figures(e);
    figures.insert(figures.begin(), {encode_png(e.slice), "slice " + e.id});
    shown_.push_back({e.id, std::move(figures)});
  }
  slices_.push_back(nlohmann::ordered_json(
      {{"id", e.id}, {"target", e.target}, {"pixels", e.pixels}, {"maps", maps}}));
}

void ExplainFiles::finish() const {
  if (slices_.empty()) return;
  const ExplainSettings& s = explainer_.settings();
  nlohmann::ordered_json json = {
      {"checkpoint", checkpoint_},    {"methods", s.methods}, {"target", s.target},
      {"threshold", s.threshold},     {"layer", s.layer},     {"patch", s.occlusion.patch},
      {"stride", s.occlusion.stride}, {"samples", s.samples}, {"seed", s.seed}};
  write_file_atomically(out_ / kReport, page(settings_table(json)).html(), if_there_);
  json["slices"] = slices_;
  write_file_atomically(out_ / kJson, json_text(json, 2) + "\n", if_there_);
  fmt::print("{} explained in {} (first look: {})\n",
             slices() == 1 ? "1 slice" : fmt::format("{} slices", slices()), out_.string(),
             (out_ / kReport).string());
}

Page ExplainFiles::page(const Table& settings) const {
  Page page("What " + checkpoint_ + " looked at");
  page.text(
      "Warm colours are positive, cold ones negative; colours end at the largest magnitude of "
      "their own picture. A white line runs round the pixels in question. None of these maps is a "
      "proof: they show what moves the network's answer, not whether the answer is right.");
  page.text("Glia is for teaching and research. It is not a medical device.");
  if (slices_.size() > shown_.size())
    page.warning(
        fmt::format("Only the first {} of {} slices are shown here; the others lie in "
                    "files beside this page.",
                    shown_.size(), slices_.size()));
  for (const Shown& one : shown_) {
    page.heading("Slice " + one.id);
    page.figures(one.figures);
  }
  page.heading("Settings");
  page.table(settings);
  return page;
}

}  // namespace glia
