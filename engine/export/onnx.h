// ONNX files (https://onnx.ai/onnx/repo-docs/IR.html): a graph of named values, built node by node
// and written by a small writer of our own (docs/adr/0007-onnx-by-hand.md). Operator set 17.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/wire.h"

namespace glia::onnx {

/// An extent: a number, or a name for one that is open.
using Extent = std::variant<std::int64_t, std::string>;

struct Attribute {
  std::string name;
  std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>> value;
};

class Graph {
 public:
  explicit Graph(std::string name) : name_(std::move(name)) {}

  /// Inputs and outputs are float32.
  void add_input(const std::string& name, const std::vector<Extent>& shape);
  void add_output(const std::string& name, const std::vector<Extent>& shape);
  /// A constant; returns its name.
  std::string constant(const std::string& name, const std::vector<std::int64_t>& shape,
                       std::span<const float> values);
  std::string constant(const std::string& name, const std::vector<std::int64_t>& shape,
                       std::span<const double> values);
  std::string constant(const std::string& name, const std::vector<std::int64_t>& values);
  /// A node `op` with one result of the name `result`, which is returned. An input "" is one that
  /// is left out.
  std::string add(const std::string& op, const std::string& result,
                  const std::vector<std::string>& inputs,
                  const std::vector<Attribute>& attributes = {});

  /// `x` as elements of another type.
  std::string to_float32(const std::string& result, const std::string& x);
  std::string to_float64(const std::string& result, const std::string& x);

  /// The whole file, with `metadata` as its properties. Throws `Error` when it has more than 2 GiB,
  /// the most that the format allows.
  std::string file(const std::string& producer_version,
                   const std::map<std::string, std::string>& metadata) const;

 private:
  std::string name_;
  wire::Message body_;  // nodes, constants, inputs and outputs in any order, as protobuf allows
};

}  // namespace glia::onnx
