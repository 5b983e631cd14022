// Tables of what the steps of the kit found.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "engine/report/line_chart.h"
#include "engine/report/page.h"

namespace glia::kit {

struct NamedTable {
  std::string name;
  Table table;
};

/// How each step ended.
Table status_table(const nlohmann::ordered_json& results);

/// A table a network and batch: every contender's median, images a second, its time over that of
/// the fastest of PyTorch, and its share of the first floor; the fastest first.
/// `what` heads the contenders: "step" or "inference", which has no floors.
std::vector<NamedTable> ladder_tables(const nlohmann::ordered_json& timing, const char* what);

/// The rows of `glia bench` that take longest, ours beside NVIDIA's.
Table rows_table(const nlohmann::ordered_json& rows, std::size_t most);

/// What the machine does at best.
Table ceilings_table(const nlohmann::ordered_json& ceilings);

/// What the steps `outputs`, `training` and `checkers` say of the kernels, a row each; those that
/// have not been run have none.
Table checks_table(const nlohmann::ordered_json& results);

/// Losses of the first steps, ours and PyTorch's.
LineChart loss_chart(const nlohmann::ordered_json& training);

/// With columns as wide as their cells.
std::string text_of(const Table& table);

}  // namespace glia::kit
