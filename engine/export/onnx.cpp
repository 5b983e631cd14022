#include "engine/export/onnx.h"

#include <limits>

#include "engine/base/check.h"

namespace glia::onnx {

namespace {

using wire::Message;

// Field numbers and enum values from onnx.proto.
namespace model {
constexpr int kIrVersion = 1, kProducer = 2, kProducerVersion = 3, kGraph = 7, kOpset = 8,
              kProperties = 14;
}
namespace graph {
constexpr int kNode = 1, kName = 2, kConstant = 5, kInput = 11, kOutput = 12;
}
namespace node {
constexpr int kInput = 1, kOutput = 2, kName = 3, kOp = 4, kAttribute = 5;
}
namespace attribute {
constexpr int kName = 1, kReal = 2, kInteger = 3, kText = 4, kIntegers = 8, kType = 20;
}
namespace tensor {
constexpr int kExtent = 1, kType = 2, kName = 8, kRaw = 9;
}
/// Types of elements.
enum class ElementType { float32 = 1, int64 = 7, float64 = 11 };
constexpr int kIrVersion = 8;  // the one that came with operator set 17
constexpr int kOpset = 17;

Message value_info(const std::string& name, const std::vector<Extent>& shape) {
  Message dimensions;
  for (const Extent& extent : shape) {
    Message dimension;
    if (const auto* number = std::get_if<std::int64_t>(&extent))
      dimension.integer(1, *number);
    else
      dimension.text(2, std::get<std::string>(extent));
    dimensions.message(1, dimension);
  }
  Message tensor, type, info;
  tensor.integer(1, static_cast<int>(ElementType::float32));
  tensor.message(2, dimensions);
  type.message(1, tensor);
  info.text(1, name);
  info.message(2, type);
  return info;
}

Message tensor_of(const std::string& name, const std::vector<std::int64_t>& shape, ElementType type,
                  std::string_view raw) {
  Message message;
  for (const std::int64_t extent : shape) message.integer(tensor::kExtent, extent);
  message.integer(tensor::kType, static_cast<int>(type));
  message.text(tensor::kName, name);
  message.text(tensor::kRaw, raw);
  return message;
}

Message attribute_of(const Attribute& a) {
  // The order of the variant's alternatives, in ONNX's numbers.
  constexpr int kTypes[] = {2, 1, 3, 7};
  Message message;
  message.text(attribute::kName, a.name);
  if (const auto* integer = std::get_if<std::int64_t>(&a.value))
    message.integer(attribute::kInteger, *integer);
  else if (const auto* real = std::get_if<float>(&a.value))
    message.real(attribute::kReal, *real);
  else if (const auto* text = std::get_if<std::string>(&a.value))
    message.text(attribute::kText, *text);
  else
    for (const std::int64_t i : std::get<std::vector<std::int64_t>>(a.value))
      message.integer(attribute::kIntegers, i);
  message.integer(attribute::kType, kTypes[a.value.index()]);
  return message;
}

template <class T>
std::string_view bytes_of(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

}  // namespace

void Graph::add_input(const std::string& name, const std::vector<Extent>& shape) {
  body_.message(graph::kInput, value_info(name, shape));
}

void Graph::add_output(const std::string& name, const std::vector<Extent>& shape) {
  body_.message(graph::kOutput, value_info(name, shape));
}

std::string Graph::constant(const std::string& name, const std::vector<std::int64_t>& shape,
                            std::span<const float> values) {
  body_.message(graph::kConstant, tensor_of(name, shape, ElementType::float32, bytes_of(values)));
  return name;
}

std::string Graph::constant(const std::string& name, const std::vector<std::int64_t>& shape,
                            std::span<const double> values) {
  body_.message(graph::kConstant, tensor_of(name, shape, ElementType::float64, bytes_of(values)));
  return name;
}

std::string Graph::constant(const std::string& name, const std::vector<std::int64_t>& values) {
  body_.message(graph::kConstant,
                tensor_of(name, {static_cast<std::int64_t>(values.size())}, ElementType::int64,
                          bytes_of(std::span<const std::int64_t>(values))));
  return name;
}

std::string Graph::add(const std::string& op, const std::string& result,
                       const std::vector<std::string>& inputs,
                       const std::vector<Attribute>& attributes) {
  Message message;
  for (const std::string& input : inputs) message.text(node::kInput, input);
  message.text(node::kOutput, result);
  message.text(node::kName, result);
  message.text(node::kOp, op);
  for (const Attribute& a : attributes) message.message(node::kAttribute, attribute_of(a));
  body_.message(graph::kNode, message);
  return result;
}

std::string Graph::to_float32(const std::string& result, const std::string& x) {
  return add("Cast", result, {x}, {{"to", static_cast<std::int64_t>(ElementType::float32)}});
}

std::string Graph::to_float64(const std::string& result, const std::string& x) {
  return add("Cast", result, {x}, {{"to", static_cast<std::int64_t>(ElementType::float64)}});
}

std::string Graph::file(const std::string& producer_version,
                        const std::map<std::string, std::string>& metadata) const {
  Message contents = body_, opset, whole;
  contents.text(graph::kName, name_);
  opset.text(1, "");
  opset.integer(2, kOpset);
  whole.integer(model::kIrVersion, kIrVersion);
  whole.text(model::kProducer, "glia");
  whole.text(model::kProducerVersion, producer_version);
  whole.message(model::kGraph, contents);
  whole.message(model::kOpset, opset);
  for (const auto& [key, value] : metadata) {
    Message property;
    property.text(1, key);
    property.text(2, value);
    whole.message(model::kProperties, property);
  }
  check(whole.bytes().size() <= std::numeric_limits<std::int32_t>::max(),
        "onnx: the network takes {} bytes, a file of this format at most 2 GiB",
        whole.bytes().size());
  return whole.bytes();
}

}  // namespace glia::onnx
