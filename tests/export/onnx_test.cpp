// The writer of ONNX files: bytes of the wire format, the fields of a small file read back, and the
// nodes of a U-Net. tests/export/run_onnx.py runs such files.
#include "engine/export/onnx.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "engine/export/layout.h"
#include "models/registry.h"
#include "models/unet/unet.h"
#include "tests/catch.h"

using namespace glia;

namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (int value : values) text += static_cast<char>(value);
  return text;
}

/// One field of a message, as the wire format has it.
struct Field {
  int number = 0;
  std::uint64_t integer = 0;
  std::string text;
};

std::uint64_t read_varint(std::string_view& rest) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    REQUIRE(!rest.empty());
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    value |= std::uint64_t{byte & 127u} << shift;
    if (byte < 128) return value;
  }
}

std::vector<Field> fields(std::string_view rest) {
  std::vector<Field> list;
  while (!rest.empty()) {
    const std::uint64_t key = read_varint(rest);
    Field field{.number = static_cast<int>(key >> 3), .text = {}};
    if ((key & 7) == 0) {
      field.integer = read_varint(rest);
    } else {
      const std::size_t size = (key & 7) == 5 ? 4 : read_varint(rest);
      REQUIRE(size <= rest.size());
      field.text = rest.substr(0, size);
      rest.remove_prefix(size);
    }
    list.push_back(field);
  }
  return list;
}

/// The fields of that number.
std::vector<Field> all(const std::vector<Field>& list, int number) {
  std::vector<Field> found;
  for (const Field& field : list)
    if (field.number == number) found.push_back(field);
  return found;
}

std::string text_of(const Field& message, int number) {
  const auto found = all(fields(message.text), number);
  return found.empty() ? "" : found.front().text;
}

/// Op types of the nodes in order, after checking that every input exists when it is read and that
/// every constant is read.
std::vector<std::string> ops_of(const std::string& file) {
  const auto graph = fields(all(fields(file), 7).front().text);
  std::set<std::string> known{""}, read;
  for (const Field& input : all(graph, 11)) known.insert(text_of(input, 1));
  for (const Field& constant : all(graph, 5)) CHECK(known.insert(text_of(constant, 8)).second);
  std::vector<std::string> ops;
  for (const Field& node : all(graph, 1)) {
    for (const Field& input : all(fields(node.text), 1)) {
      CHECK(known.contains(input.text));
      read.insert(input.text);
    }
    CHECK(known.insert(text_of(node, 2)).second);
    ops.push_back(text_of(node, 4));
  }
  for (const Field& constant : all(graph, 5)) CHECK(read.contains(text_of(constant, 8)));
  for (const Field& output : all(graph, 12)) CHECK(known.contains(text_of(output, 1)));
  return ops;
}

std::string onnx_of(const UNetConfig& config, const Preprocess& preprocess = {}) {
  const auto cpu = make_cpu_device(1);
  UNet net(config);
  net.parameters().allocate(*cpu, 1);
  return onnx_graph(net, preprocess).file("test", {});
}

}  // namespace

TEST_CASE("wire: integers, reals, texts and messages", "[onnx]") {
  wire::Message inner, outer;
  inner.integer(1, 150);
  CHECK(inner.bytes() == bytes({0x08, 0x96, 0x01}));
  outer.text(2, "testing");
  CHECK(outer.bytes() == bytes({0x12, 7}) + "testing");
  outer = {};
  outer.message(3, inner);
  CHECK(outer.bytes() == bytes({0x1a, 3, 0x08, 0x96, 0x01}));
  outer = {};
  outer.real(1, 1.0f);
  CHECK(outer.bytes() == bytes({0x0d, 0, 0, 0x80, 0x3f}));
  outer = {};
  outer.real(1, 1.0);
  CHECK(outer.bytes() == bytes({0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f}));
  outer = {};
  outer.integer(20, -1);  // two bytes of key, ten of value
  CHECK(outer.bytes() == bytes({0xa0, 0x01}) + std::string(9, '\xff') + bytes({1}));
  outer = {};
  outer.integer(1, 127);
  outer.integer(1, 128);
  CHECK(outer.bytes() == bytes({0x08, 127, 0x08, 0x80, 0x01}));
}

TEST_CASE("onnx: a small file, field by field", "[onnx]") {
  onnx::Graph graph("small");
  graph.add_input("x", {"batch", std::int64_t{3}});
  const float two[] = {2};
  graph.add("Mul", "y", {"x", graph.constant("two", {1}, two)},
            {{"power", 0.5f}, {"size", std::int64_t{9}}});
  graph.add_output("y", {"batch", std::int64_t{3}});
  const std::string file = graph.file("1.2", {{"key", "value"}});
  const auto model = fields(file);
  CHECK(all(model, 1).front().integer == 8);
  CHECK(all(model, 2).front().text == "glia");
  CHECK(all(model, 3).front().text == "1.2");
  CHECK(all(fields(all(model, 8).front().text), 2).front().integer == 17);
  CHECK(text_of(all(model, 14).front(), 1) == "key");
  CHECK(text_of(all(model, 14).front(), 2) == "value");
  const auto parts = fields(all(model, 7).front().text);
  CHECK(all(parts, 2).front().text == "small");
  const auto constant = fields(all(parts, 5).front().text);
  CHECK(all(constant, 1).front().integer == 1);
  CHECK(all(constant, 2).front().integer == 1);  // float
  CHECK(all(constant, 9).front().text == bytes({0, 0, 0, 0x40}));
  const auto node = fields(all(parts, 1).front().text);
  CHECK(all(node, 1)[1].text == "two");
  const auto size = fields(all(node, 5)[1].text);
  CHECK(all(size, 3).front().integer == 9);
  CHECK(all(size, 20).front().integer == 2);  // an integer
  CHECK(all(fields(all(node, 5)[0].text), 20).front().integer == 1);
  CHECK(ops_of(file) == std::vector<std::string>{"Mul"});
}

TEST_CASE("onnx: the U-Net's nodes are all there and in order", "[onnx]") {
  const auto ops = ops_of(onnx_of({.base_width = 4, .depth = 2}));
  const auto count = [&](const char* op) { return std::count(ops.begin(), ops.end(), op); };
  CHECK(count("Conv") == 11);
  CHECK(count("BatchNormalization") == 10);
  CHECK(count("Relu") == 10);
  CHECK(count("MaxPool") == 2);
  CHECK(count("ConvTranspose") == 2);
  CHECK(count("Concat") == 3);    // one of them of what is padded
  CHECK(ops.front() == "Shape");  // padded to a multiple, and cropped again
  CHECK(count("Pad") == 1);
  CHECK(count("Slice") == 1);
  CHECK(ops.back() == "Sigmoid");

  UNetConfig seed = UNetConfig::seed();
  seed.base_width = 4;
  seed.depth = 1;
  const auto plain = ops_of(onnx_of(seed, {.normalize = Preprocess::Normalize::slice}));
  CHECK(std::count(plain.begin(), plain.end(), "Resize") == 1);
  CHECK(std::count(plain.begin(), plain.end(), "BatchNormalization") == 0);
  CHECK(plain.front() == "Cast");
  CHECK(std::count(plain.begin(), plain.end(), "ReduceMean") == 2);
  const auto grouped = ops_of(onnx_of(
      {.base_width = 8, .depth = 1, .norm = nn::NormKind::group},
      {.normalize = Preprocess::Normalize::dataset, .mean = {1, 2, 3}, .stddev = {1, 1, 1}}));
  CHECK(std::count(grouped.begin(), grouped.end(), "ReduceMean") == 4 * 6);  // of the group norms
  CHECK(grouped.front() == "Cast");
}

TEST_CASE("layout: weights with channels second, and back", "[onnx]") {
  // [K,R,S,C] = [1,2,1,3]: two places of a window, three channels.
  const std::vector<std::int64_t> shape = {1, 2, 1, 3};
  const std::vector<float> values = {1, 2, 3, 10, 20, 30};
  CHECK(channels_second(shape) == std::vector<std::int64_t>{1, 3, 2, 1});
  const auto moved = channels_second(values, shape);
  CHECK(moved == std::vector<float>{1, 10, 2, 20, 3, 30});
  CHECK(channels_last(moved, shape) == values);
  CHECK(channels_second(std::vector<std::int64_t>{6}) == std::vector<std::int64_t>{6});
  CHECK(channels_second(values, {6}) == values);
}
