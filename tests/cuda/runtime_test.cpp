// A GPU's memory, copies and graphs as the engine uses them.
#include <array>
#include <numeric>

#include "engine/runtime/run.h"
#include "engine/tensor/tensor.h"
#include "tests/catch.h"
#include "tests/cuda/devices.h"

namespace glia::test {

namespace {

std::vector<float> counting(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 0.0f);
  return values;
}

}  // namespace

TEST_CASE("gpu memory: copies of any size come back", "[cuda]") {
  for (const DeviceRequest& request : gpu_devices()) {
    const auto device = open_device(request);
    CHECK_FALSE(device->allocator().on_host());
    // More than all pinned buffers, so that they are used again; and a part of one.
    for (std::size_t count : {std::size_t{1}, std::size_t{1000}, (std::size_t{9} << 20) / 4 + 3}) {
      const std::vector<float> values = counting(count);
      const Tensor t = Tensor::from<float>(*device, {static_cast<std::int64_t>(count)}, values);
      CHECK((t.to_vector<float>() == values));
    }
    const Tensor wide = Tensor::from<float>(*device, {1, 2, 2, 3}, counting(12));
    CHECK((wide.channels(1, 2).to_vector<float>() == std::vector<float>{1, 2, 4, 5, 7, 8, 10, 11}));
    CHECK((Tensor::zeros(*device, {3}).to_vector<float>() == std::vector<float>(3, 0.0f)));
    CHECK_THROWS_WITH(wide.data<float>(), ContainsSubstring("host's memory"));
  }
}

TEST_CASE("gpu graph: replays what was recorded, with the numbers that lie there then", "[cuda]") {
  for (const DeviceRequest& request : gpu_devices()) {
    const auto device = open_device(request);
    const Tensor x = Tensor::from<float>(*device, {4}, counting(4));
    const Tensor y = Tensor::zeros(*device, {4});
    const auto work = [&] {
      run<&KernelTable::scale>(*device, {.x = x, .y = y, .alpha = 2, .write = Write::accumulate});
    };
    work();
    const auto graph = device->capture(work);
    CHECK((y.to_vector<float>() == std::vector<float>{0, 2, 4, 6}));  // recorded, not run
    graph->replay();
    CHECK((y.to_vector<float>() == std::vector<float>{0, 4, 8, 12}));
    x.copy_from(std::vector<float>{1, 1, 1, 1});
    graph->replay();
    CHECK((y.to_vector<float>() == std::vector<float>{2, 6, 10, 14}));
  }
}

TEST_CASE("gpu graph: host copies and new memory are refused while recording", "[cuda]") {
  for (const DeviceRequest& request : gpu_devices()) {
    const auto device = open_device(request);
    const Tensor x = Tensor::zeros(*device, {4});
    CHECK_THROWS_WITH(device->capture([&] { x.item(); }), ContainsSubstring("one element"));
    CHECK_THROWS_WITH(device->capture([&] { x.to_vector<float>(); }),
                      ContainsSubstring("reads a result on the host"));
    CHECK_THROWS_WITH(device->capture([&] { x.copy_from(counting(4)); }),
                      ContainsSubstring("copies from the host"));
    CHECK_THROWS_WITH(device->capture([&] { Tensor::empty(*device, {1 << 20}); }),
                      ContainsSubstring("steps before did not need"));
    CHECK((x.to_vector<float>() == std::vector<float>(4, 0.0f)));  // and the stream still works
  }
}

TEST_CASE("gpu graph: memory of a recording is handed to nobody else", "[cuda]") {
  for (const DeviceRequest& request : gpu_devices()) {
    const auto device = open_device(request);
    const Shape shape{1000};
    { const Tensor warm_up = Tensor::empty(*device, shape); }
    void* recorded = nullptr;
    const auto graph = device->capture([&] {
      const Tensor inside = Tensor::zeros(*device, shape);
      recorded = inside.view().data;
      CHECK(Tensor(inside).view().data == recorded);
    });
    CHECK(Tensor::empty(*device, shape).view().data != recorded);
  }
}

TEST_CASE("gpu graph: what a recording keeps aside is everybody's when it ends", "[cuda]") {
  for (const DeviceRequest& request : gpu_devices()) {
    const auto device = open_device(request);
    const Shape shape{1000};
    { const Tensor warm_up = Tensor::empty(*device, shape); }
    const std::size_t before = device->allocator().system_requests();
    {
      const auto graph = device->capture([&] { Tensor::zeros(*device, shape); });
    }
    Tensor::empty(*device, shape);
    CHECK(device->allocator().system_requests() == before);
  }
}

TEST_CASE("gpu conv2d: maps are refused, not left out; so are moments where they are", "[cuda]") {
  for (DeviceRequest request : gpu_devices()) {
    request.fuse = Fuse::s1;
    const auto device = open_device(request);
    const Tensor x = Tensor::zeros(*device, {1, 2, 2, 1}), w = Tensor::zeros(*device, {1, 1, 1, 1});
    const Tensor moments = Tensor::zeros(*device, {2, 1}, DType::f64);
    const ConvGeometry g = conv2d_geometry(x.shape(), w.shape(), {});
    CHECK_THROWS_WITH((run<&KernelTable::conv2d_forward>(
                          *device, {.geometry = g, .x = x, .x_map = w, .w = w, .y = x})),
                      ContainsSubstring("unsupported: conv2d_forward: the backend"));
    CHECK_THROWS_WITH(
        (run<&KernelTable::conv2d_forward>(
            *device, {.geometry = g, .x = x, .w = w, .y = x, .moments = moments.view()})),
        ContainsSubstring("gives no moments"));
  }
}

TEST_CASE("gpu memory: a refusal says how much was asked and is free", "[cuda]") {
  for (const DeviceRequest& request : gpu_devices()) {
    const auto device = open_device(request);
    CHECK_THROWS_WITH(Tensor::empty(*device, {std::int64_t{1} << 40}),
                      ContainsSubstring("out of memory: the GPU refused 4194304.0 MiB"));
    CHECK_THROWS_AS(Tensor::empty(*device, {std::int64_t{1} << 40}), OutOfMemory);
    CHECK((Tensor::zeros(*device, {2}).to_vector<float>() == std::vector<float>(2, 0.0f)));
  }
}

TEST_CASE("devices: wrong names are refused with the choices", "[cuda]") {
  for (const char* name : {"", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda0"})
    CHECK_THROWS_WITH(open_device({.device = name}), ContainsSubstring("expected auto, cpu, cuda"));
  CHECK_THROWS_WITH(open_device({.device = "cuda:0", .backend = "emu"}),
                    ContainsSubstring("runs on the CPU"));
  CHECK_THROWS_WITH(open_device({.device = "cpu", .backend = "metal"}),
                    ContainsSubstring("expected native"));
}

}  // namespace glia::test
