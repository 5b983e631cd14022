// The files that glia explain writes.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/runs/explainer.h"
#include "engine/base/if_there.h"

namespace glia {

/// The maps of slices as numbers and pictures, and, of all of them, report.html and explain.json.
class ExplainFiles {
 public:
  /// `explainer` made the maps, must outlive this, and knows the settings; `checkpoint` is for the
  /// reader. The folder must be there.
  ExplainFiles(std::filesystem::path out, IfThere if_there, std::string checkpoint,
               const Explainer& explainer);

  /// What `add` writes of the slice `id`, and what `finish` does.
  std::vector<std::string> names_of(const std::string& id) const;
  static std::vector<std::string> names_of_all();

  /// Throws `Error` when the disk refuses.
  void add(const Slice& slice, const Explanation& explanation);
  /// Writes what is of all slices and says where; nothing where there is none.
  void finish() const;

  std::int64_t slices() const { return std::ssize(slices_); }

 private:
  struct Shown {
    std::string id;
    std::vector<Figure> figures;
  };

  Page page(const Table& settings) const;

  std::filesystem::path out_;
  IfThere if_there_;
  std::string checkpoint_;
  const Explainer& explainer_;
  std::vector<Shown> shown_;
  nlohmann::ordered_json slices_ = nlohmann::ordered_json::array();
};

}  // namespace glia
