#include "engine/tensor/readback.h"

#include <cstring>

namespace glia {

void TensorReadback::start(std::span<const Tensor> tensors) {
  check(here_, "readback: asked for the next results before waiting for the last");
  std::vector<DeviceBytes> bytes;
  std::size_t place = 0;
  parts_.clear();
  for (const Tensor& t : tensors) {
    const View view = t.view();
    check(view.pitch == view.channels(), "readback: {} is not dense", t.shape().str());
    const auto count = static_cast<std::size_t>(t.numel());
    parts_.push_back({place, count, t.dtype()});
    bytes.push_back({view.data, count * size_of(t.dtype())});
    place += bytes.back().count;
  }
  if (place > room_) {
    readback_ = device_->allocator().make_readback(place);
    room_ = place;
  }
  readback_->start(bytes);
  here_ = false;
}

void TensorReadback::wait() {
  if (here_) return;
  readback_->wait();
  here_ = true;
}

const TensorReadback::Part& TensorReadback::part(std::size_t index, DType dtype) const {
  check(here_, "readback: a result is read before it has been waited for");
  check(index < parts_.size() && parts_[index].dtype == dtype,
        "readback: result {} of {} is not of {}", index, parts_.size(), name_of(dtype));
  return parts_[index];
}

template <class T>
std::vector<T> TensorReadback::values(std::size_t index) const {
  const Part& from = part(index, dtype_of<T>());
  std::vector<T> values(from.count);
  std::memcpy(values.data(), readback_->data() + from.place, from.count * sizeof(T));
  return values;
}

double TensorReadback::item(std::size_t index) const {
  check(index < parts_.size() && parts_[index].count == 1,
        "readback: result {} of {} has not one element", index, parts_.size());
  switch (parts_[index].dtype) {
    case DType::f32: return values<float>(index).front();
    case DType::f64: return values<double>(index).front();
    case DType::i64: return static_cast<double>(values<std::int64_t>(index).front());
    default: fail("readback: {} is read as no number", name_of(parts_[index].dtype));
  }
}

template std::vector<float> TensorReadback::values<float>(std::size_t) const;
template std::vector<double> TensorReadback::values<double>(std::size_t) const;
template std::vector<std::int64_t> TensorReadback::values<std::int64_t>(std::size_t) const;

}  // namespace glia
