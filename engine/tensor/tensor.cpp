#include "engine/tensor/tensor.h"

#include <algorithm>
#include <type_traits>

#include "engine/tensor/body.h"

namespace glia {

namespace {

template <class To, class From, class Convert>
std::vector<To> converted(const From& values, const Convert& convert) {
  std::vector<To> result(values.size());
  std::transform(values.begin(), values.end(), result.begin(), convert);
  return result;
}

}  // namespace

Tensor Tensor::empty(Device& device, const Shape& shape, DType dtype) {
  const auto bytes = static_cast<std::size_t>(shape.numel()) * size_of(dtype);
  device.announce(shape, dtype);
  return Tensor(std::make_shared<Body>(
      Body{&device, std::make_shared<Storage>(device, bytes), 0, shape, shape.channels(), dtype}));
}

Tensor Tensor::zeros(Device& device, const Shape& shape, DType dtype) {
  Tensor t = empty(device, shape, dtype);
  device.allocator().fill(t.view().data, 0, t.body_->storage->bytes);
  return t;
}

template <class T>
Tensor Tensor::from(Device& device, const Shape& shape, std::span<const T> values) {
  check(static_cast<std::int64_t>(values.size()) == shape.numel(),
        "tensor: found {} values, expected {} for the shape {}", values.size(), shape.numel(),
        shape.str());
  Tensor t = empty(device, shape, dtype_of<T>());
  device.allocator().copy_in(t.view().data, values.data(), values.size_bytes());
  return t;
}

Device& Tensor::device() const {
  return *body_->device;
}
const Shape& Tensor::shape() const {
  return body_->shape;
}
DType Tensor::dtype() const {
  return body_->dtype;
}

View Tensor::view() const {
  check(!is_deferred(), "tensor: {} is deferred, materialise it first", body_ ? shape().str() : "");
  return stored();
}

View Tensor::map() const {
  return is_deferred() ? body_->map.view() : View();
}

View Tensor::map_row(std::int64_t row) const {
  return body_->map.slice(row * shape().channels(), {shape().channels()});
}

bool Tensor::is_deferred() const {
  return body_ && body_->map.defined();
}

Tensor Tensor::deferred(const Tensor& map) const {
  const Shape expected{MapRow::count, shape().channels()};
  check(!is_deferred() && map.shape() == expected,
        "tensor: found a map {} for {}, expected {} for a tensor that has none", map.shape().str(),
        shape().str(), expected.str());
  return Tensor(std::make_shared<Body>(Body{body_->device, body_->storage, body_->offset,
                                            body_->shape, body_->pitch, body_->dtype, map}));
}

View Tensor::stored() const {
  if (!body_) return {};
  auto* base = static_cast<std::byte*>(body_->storage->data);
  return {{base + static_cast<std::size_t>(body_->offset) * size_of(body_->dtype), body_->shape,
           body_->pitch, body_->dtype}};
}

Tensor Tensor::channels(std::int64_t first, std::int64_t count) const {
  check(first >= 0 && count > 0 && first + count <= shape().channels(),
        "channels: found [{}, {}), expected a part of [0, {})", first, first + count,
        shape().channels());
  return Tensor(
      std::make_shared<Body>(Body{body_->device, body_->storage, body_->offset + first,
                                  shape().with_channels(count), body_->pitch, body_->dtype}));
}

Tensor Tensor::slice(std::int64_t offset, const Shape& shape) const {
  check(view().dense() && offset >= 0 && offset + shape.numel() <= numel(),
        "slice: found {} elements from {} on, expected a part of a dense tensor {}", shape.numel(),
        offset, this->shape().str());
  return Tensor(std::make_shared<Body>(Body{body_->device, body_->storage, body_->offset + offset,
                                            shape, shape.channels(), body_->dtype}));
}

Tensor Tensor::join_channels(std::span<const Tensor> slices) {
  check(!slices.empty(), "concat: found no tensors, expected one or more");
  const Body& first = *slices.front().body_;
  std::int64_t channels = 0;
  for (const Tensor& slice : slices) {
    const Body& body = *slice.body_;
    check(body.storage == first.storage && body.offset == first.offset + channels &&
              body.pitch == first.pitch && body.dtype == first.dtype &&
              body.shape.with_channels(1) == first.shape.with_channels(1),
          "concat: {} does not lie right after {} channels of {}; let the producers write into "
          "channels() of one buffer",
          body.shape.str(), channels, first.shape.str());
    channels += body.shape.channels();
  }
  return Tensor(
      std::make_shared<Body>(Body{first.device, first.storage, first.offset,
                                  first.shape.with_channels(channels), first.pitch, first.dtype}));
}

template <class T>
T* Tensor::data() const {
  check(defined() && dtype() == dtype_of<T>() && view().dense() && device().allocator().on_host(),
        "tensor: host access as {} needs a dense tensor of that type in the host's memory",
        name_of(dtype_of<T>()));
  return view().as<T>();
}

template <class T>
std::vector<T> Tensor::to_vector() const {
  const View v = view();
  if constexpr (std::is_same_v<T, float>)
    if (v.dtype == DType::bf16) return converted<float>(to_vector<Bf16>(), to_float);
  check(v.dtype == dtype_of<T>(), "tensor: found {}, expected {}", name_of(v.dtype),
        name_of(dtype_of<T>()));
  const auto channels = static_cast<std::size_t>(v.channels()),
             pitch = static_cast<std::size_t>(v.pitch);
  const auto rows = static_cast<std::size_t>(v.rows());
  if (rows == 0) return {};
  std::vector<T> values((rows - 1) * pitch + channels);  // with the channels between two rows
  device().allocator().copy_out(values.data(), v.data, values.size() * sizeof(T));
  for (std::size_t row = 1; row < rows && pitch != channels; ++row)
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(row * pitch), channels,
                values.begin() + static_cast<std::ptrdiff_t>(row * channels));
  values.resize(rows * channels);
  return values;
}

double Tensor::item() const {
  check(numel() == 1, "item: found the shape {}, expected one element", shape().str());
  switch (dtype()) {
    case DType::f32: return to_vector<float>().front();
    case DType::f64: return to_vector<double>().front();
    case DType::bf16: return to_float(to_vector<Bf16>().front());
    case DType::u8: return to_vector<std::uint8_t>().front();
    case DType::i64: return static_cast<double>(to_vector<std::int64_t>().front());
  }
  return 0;
}

template <class T>
void Tensor::copy_from(std::span<const T> values) const {
  if constexpr (std::is_same_v<T, float>) {
    if (dtype() == DType::f64) {
      const std::vector<double> wide(values.begin(), values.end());
      return copy_from(std::span<const double>(wide));
    }
    if (dtype() == DType::bf16) {
      const std::vector<Bf16> rounded = converted<Bf16>(values, to_bf16);
      return copy_from(std::span<const Bf16>(rounded));
    }
    if (body_->shadow.defined()) body_->shadow.copy_from(values);
  }
  check(static_cast<std::int64_t>(values.size()) == numel() && dtype() == dtype_of<T>() &&
            view().dense(),
        "tensor: found {} values of {}, expected {} of {} for the dense shape {}", values.size(),
        name_of(dtype_of<T>()), numel(), name_of(dtype()), shape().str());
  device().allocator().copy_in(view().data, values.data(), values.size_bytes());
}

bool Tensor::wants_grad() const {
  return body_ && body_->wants_grad;
}
void Tensor::set_wants_grad(bool wanted) const {
  body_->wants_grad = wanted;
}
Tensor Tensor::grad() const {
  return body_->grad;
}
bool Tensor::grad_written() const {
  return body_->grad_written;
}
void Tensor::bind_shadow(const Tensor& shadow) const {
  check(shadow.shape() == shape(), "tensor: found a shadow {} for {}, expected the same shape",
        shadow.shape().str(), shape().str());
  body_->shadow = shadow;
}
Tensor Tensor::shadow() const {
  return body_->shadow;
}
void Tensor::bind_grad(const Tensor& grad, Write next) const {
  body_->grad = grad;
  body_->grad_written = next == Write::accumulate;
}

template Tensor Tensor::from(Device&, const Shape&, std::span<const float>);
template Tensor Tensor::from(Device&, const Shape&, std::span<const double>);
template Tensor Tensor::from(Device&, const Shape&, std::span<const std::uint8_t>);
template Tensor Tensor::from(Device&, const Shape&, std::span<const std::int64_t>);
template void Tensor::copy_from(std::span<const float>) const;
template void Tensor::copy_from(std::span<const double>) const;
template void Tensor::copy_from(std::span<const Bf16>) const;
template void Tensor::copy_from(std::span<const std::int64_t>) const;
template float* Tensor::data<float>() const;
template double* Tensor::data<double>() const;
template std::uint8_t* Tensor::data<std::uint8_t>() const;
template std::int64_t* Tensor::data<std::int64_t>() const;
template std::vector<float> Tensor::to_vector<float>() const;
template std::vector<double> Tensor::to_vector<double>() const;
template std::vector<Bf16> Tensor::to_vector<Bf16>() const;
template std::vector<std::uint8_t> Tensor::to_vector<std::uint8_t>() const;
template std::vector<std::int64_t> Tensor::to_vector<std::int64_t>() const;

}  // namespace glia
