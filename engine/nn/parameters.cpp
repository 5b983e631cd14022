#include "engine/nn/parameters.h"

#include <algorithm>
#include <cmath>

#include "engine/base/rng.h"
#include "engine/comm/communicator.h"
#include "engine/runtime/run.h"

namespace glia::nn {

namespace {

constexpr std::uint64_t kInitStream = 0x696E6974;  // keeps initial values apart from other draws

void fill(const Tensor& tensor, const Init& init, std::uint64_t seed, std::uint64_t stream) {
  std::vector<float> values(static_cast<std::size_t>(tensor.numel()),
                            static_cast<float>(init.value));
  if (init.kind == Init::Kind::he_normal) {
    const Random random(seed, kInitStream << 32 | stream);
    const double stddev = std::sqrt(2.0 / static_cast<double>(init.fan_in));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(stddev * random.normal(i));
  }
  tensor.copy_from(values);
}

}  // namespace

void ParameterSet::check_unique(const std::string& name) const {
  const auto same = [&](const Parameter& p) { return p.name == name; };
  check(std::none_of(parameters_.begin(), parameters_.end(), same) &&
            std::none_of(buffers_.begin(), buffers_.end(), same),
        "parameters: the name '{}' is taken", name);
}

Parameter& ParameterSet::add(std::string name, const Shape& shape, const Init& init) {
  check_unique(name);
  return parameters_.emplace_back(Parameter{std::move(name), shape, init, {}});
}

Parameter& ParameterSet::add_buffer(std::string name, const Shape& shape, double value) {
  check_unique(name);
  return buffers_.emplace_back(Parameter{std::move(name), shape, Init::constant(value), {}});
}

void ParameterSet::allocate(Device& device) {
  const auto padded = [](const Shape& shape) { return (shape.numel() + 15) / 16 * 16; };
  std::int64_t total = 0;
  for (const Parameter& p : parameters_) total += padded(p.shape);
  const DType dtype = device.kernels().parameters, activations = device.kernels().activations;
  values_ = Tensor::zeros(device, {total}, dtype);
  // A part a rank, each of whole lines.
  const std::int64_t lines = 16 * std::int64_t{device.ranks() ? device.ranks()->size() : 1};
  padded_grads_ = Tensor::zeros(device, {(total + lines - 1) / lines * lines}, dtype);
  grads_ = padded_grads_.slice(0, {total});
  shadow_ = dtype == activations ? Tensor() : Tensor::zeros(device, {total}, activations);
  gradients_.clear();
  std::int64_t offset = 0;
  for (Parameter& p : parameters_) {
    p.value = values_.slice(offset, p.shape);
    p.value.set_wants_grad(true);
    if (shadow_.defined()) p.value.bind_shadow(shadow_.slice(offset, p.shape));
    gradients_.push_back(grads_.slice(offset, p.shape));
    offset += padded(p.shape);
  }
  for (Parameter& p : buffers_) p.value = Tensor::zeros(device, p.shape, dtype);
  clear_grads();
  for (const Parameter& p : parameters_) {
    device.name(p.value.view(), p.name);
    if (shadow_.defined()) device.name(p.value.shadow().view(), p.name);
    device.name(p.value.grad().view(), p.name);
  }
}

void ParameterSet::allocate(Device& device, std::uint64_t seed) {
  allocate(device);
  std::uint64_t stream = 0;
  for (const auto* set : {&parameters_, &buffers_})
    for (const Parameter& p : *set) fill(p.value, p.init, seed, stream++);
}

void ParameterSet::clear_grads() {
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    parameters_[i].value.bind_grad(gradients_[i], Write::overwrite);
}

void ParameterSet::finish_grads() {
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (!parameters_[i].value.grad_written())
      run<&KernelTable::fill>(grads_.device(), {.y = gradients_[i], .alpha = 0});
}

Tensor ParameterSet::part(const Tensor& flat, const Parameter& parameter) const {
  const auto bytes = static_cast<const char*>(parameter.value.view().data) -
                     static_cast<const char*>(values_.view().data);
  const auto size = static_cast<std::ptrdiff_t>(size_of(values_.dtype()));
  return flat.slice(bytes / size, parameter.shape);
}

void ParameterSet::set_wants_grads(bool wanted) {
  for (const Parameter& p : parameters_) p.value.set_wants_grad(wanted);
}

std::int64_t ParameterSet::count() const {
  std::int64_t total = 0;
  for (const Parameter& p : parameters_) total += p.shape.numel();
  return total;
}

}  // namespace glia::nn
