// Results that are read some time after they were asked for.
#include "engine/tensor/readback.h"

#include "engine/runtime/run.h"
#include "tests/catch.h"
#include "tests/cuda/devices.h"

namespace glia::test {

namespace {

Tensor tensor_of(Device& device, const std::vector<float>& values) {
  return Tensor::from<float>(device, {static_cast<std::int64_t>(values.size())}, values);
}

void twice(Device& device, const Tensor& x) {
  run<&KernelTable::scale>(device, {.x = x, .y = x, .alpha = 2});
}

}  // namespace

TEST_CASE("readback: results are those of when they were asked for", "[cuda]") {
  std::vector<DeviceRequest> requests = gpu_devices();
  requests.push_back({.device = "cpu"});
  for (const DeviceRequest& request : requests) {
    INFO(request.backend << " on " << request.device);
    const auto device = open_device(request);
    const Tensor x = tensor_of(*device, {1, 2, 3}), one = tensor_of(*device, {5});
    const std::int64_t count[] = {7};
    const Tensor counts = Tensor::from<std::int64_t>(*device, {1}, count);
    TensorReadback early(*device), late(*device);
    const Tensor all[] = {x, counts, one}, again[] = {x};
    early.start(all);
    twice(*device, x);
    late.start(again);
    twice(*device, x);
    late.wait();
    early.wait();
    CHECK(early.values<float>(0) == std::vector<float>{1, 2, 3});
    CHECK(early.item(1) == 7);
    CHECK(early.item(2) == 5);
    CHECK(late.values<float>(0) == std::vector<float>{2, 4, 6});
    early.start(again);  // a place is used again
    early.wait();
    CHECK(early.values<float>(0) == std::vector<float>{4, 8, 12});
  }
}

TEST_CASE("readback: a result that is read before its event is caught", "[cuda]") {
  const auto device = open_device({.device = "cpu", .backend = "emu"});
  const Tensor x = tensor_of(*device, {1, 2, 3});
  TensorReadback readback(*device);
  const Tensor all[] = {x};
  readback.start(all);
  CHECK_THROWS_WITH(readback.values<float>(0), ContainsSubstring("before it has been waited for"));
  CHECK_THROWS_WITH(readback.start(all), ContainsSubstring("before waiting for the last"));
  readback.wait();
  CHECK_THROWS_WITH(readback.values<double>(0), ContainsSubstring("is not of f64"));
  CHECK_THROWS_WITH(readback.item(0), ContainsSubstring("has not one element"));

  // Whoever goes around that is seen by the emulator, as page-locked memory shows it.
  const auto raw = device->allocator().make_readback(sizeof(float));
  const DeviceBytes part[] = {{x.view().data, sizeof(float)}};
  raw->start(part);
  const volatile std::byte* bytes = raw->data();
  static_cast<void>(bytes[0]);
  CHECK_THROWS_WITH(raw->wait(), ContainsSubstring("the host touches page-locked memory"));
}

}  // namespace glia::test
