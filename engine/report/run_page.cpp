#include "engine/report/run_page.h"

#include <fmt/format.h>

#include "engine/report/page.h"

namespace glia {

namespace {

constexpr int kRefresh = 15;  // seconds

Table epochs_table(const std::vector<nlohmann::ordered_json>& epochs) {
  Table table{.head = {}, .rows = {}, .text_columns = 0};
  for (const auto& [name, value] : epochs.front().items()) {
    std::string words = name;
    for (char& c : words) c = c == '_' ? ' ' : c;  // so that the heads can break
    table.head.push_back(words);
  }
  for (const auto& epoch : epochs) {
    std::vector<std::string> row;
    for (const auto& [name, value] : epoch.items())
      row.push_back(value.is_number_float() ? fmt::format("{:.4g}", value.get<double>())
                                            : value.dump());
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace

std::string RunPage::html() const {
  Page page(title);
  if (running) page.refresh_every(kRefresh);
  page.text(state);
  for (const std::string& warning : warnings) page.warning(warning);
  if (!epochs.empty()) {
    page.heading("Curves");
    page.chart(learning_curves_svg(curves, loss_name, best));
    page.text(
        "Training figures are means over an epoch in which the weights still change, with "
        "augmentation and dropout on; validation figures are those of the weights at its end, over "
        "probabilities and of the prediction thresholded at 0.5. All but the loss depend on the "
        "batch size. best.safetensors holds the epoch of the dotted line.");
    page.heading("Epochs");
    page.table(epochs_table(epochs));
  }
  page.heading("Settings");
  page.table(settings_table(settings));
  page.heading("Environment");
  page.table(settings_table(environment));
  page.text("Glia is for teaching and research. It is not a medical device.");
  return page.html();
}

}  // namespace glia
