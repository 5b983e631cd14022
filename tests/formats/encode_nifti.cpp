#include <algorithm>
#include <cstring>

#include "tests/formats/encode.h"

namespace glia {

namespace {

/// Fields in the order in which they are put, from `place` on.
class Writer {
 public:
  explicit Writer(std::size_t size) : bytes_(size, '\0') {}

  Writer& at(std::size_t place) {
    place_ = place;
    return *this;
  }
  template <class T>
  Writer& put(T value) {
    std::memcpy(bytes_.data() + place_, &value, sizeof value);
    fields_.push_back({place_, sizeof value});
    place_ += sizeof value;
    return *this;
  }
  void text(std::size_t place, const std::string& text) {
    text.copy(bytes_.data() + place, text.size());
  }
  /// The other byte order.
  void swap() {
    for (const auto& [place, size] : fields_)
      std::reverse(bytes_.begin() + static_cast<std::ptrdiff_t>(place),
                   bytes_.begin() + static_cast<std::ptrdiff_t>(place + size));
  }
  const std::string& bytes() const { return bytes_; }

 private:
  struct Field {
    std::size_t place, size;
  };
  std::string bytes_;
  std::vector<Field> fields_;
  std::size_t place_ = 0;
};

template <class Int>
void put_dims(Writer& out, const NiftiSpec& spec) {
  out.put(static_cast<Int>(spec.dims.size()));
  for (std::size_t d = 0; d < 7; ++d)
    out.put(static_cast<Int>(d < spec.dims.size() ? spec.dims[d] : 1));
}

/// The same fields in both versions, in another float and at other places.
template <class Float>
void put_place(Writer& out, const NiftiSpec& spec) {
  for (float value : spec.quatern) out.put(static_cast<Float>(value));
  for (const auto& row : spec.srow)
    for (float value : row) out.put(static_cast<Float>(value));
}

Writer first_header(const NiftiSpec& spec) {
  Writer out(static_cast<std::size_t>(std::max<std::int64_t>(spec.data_offset, 348)));
  out.at(0).put(std::int32_t{348});
  put_dims<std::int16_t>(out.at(40), spec);
  out.at(70).put(static_cast<std::int16_t>(spec.datatype));
  out.put(static_cast<std::int16_t>(spec.bits));
  out.at(76);
  for (float value : spec.pixdim) out.put(value);
  out.at(108).put(static_cast<float>(spec.data_offset)).put(spec.slope).put(spec.intercept);
  out.at(123).put(static_cast<std::uint8_t>(spec.units));
  out.at(252).put(static_cast<std::int16_t>(spec.qform)).put(static_cast<std::int16_t>(spec.sform));
  put_place<float>(out, spec);
  out.text(344, spec.magic);
  return out;
}

}  // namespace

std::string nifti_file(const NiftiSpec& spec, std::string_view data) {
  return first_header(spec).bytes() + std::string(data);
}

std::string swapped_nifti_file(const NiftiSpec& spec, std::string_view data, std::size_t item) {
  Writer header = first_header(spec);
  header.swap();
  std::string values(data);
  for (auto value = values.begin(); value != values.end();
       value += static_cast<std::ptrdiff_t>(item))
    std::reverse(value, value + static_cast<std::ptrdiff_t>(item));
  return header.bytes() + values;
}

std::string nifti2_file(const NiftiSpec& spec, std::string_view data) {
  constexpr std::int64_t kDataOffset = 544;
  Writer out(kDataOffset);
  out.at(0).put(std::int32_t{540});
  out.text(4, std::string("n+2\0\r\n\x1A\n", 8));
  out.at(12).put(static_cast<std::int16_t>(spec.datatype));
  out.put(static_cast<std::int16_t>(spec.bits));
  put_dims<std::int64_t>(out, spec);
  out.at(104);
  for (float value : spec.pixdim) out.put(static_cast<double>(value));
  out.at(168).put(kDataOffset);
  out.put(static_cast<double>(spec.slope)).put(static_cast<double>(spec.intercept));
  out.at(344).put(static_cast<std::int32_t>(spec.qform));
  out.put(static_cast<std::int32_t>(spec.sform));
  put_place<double>(out, spec);
  out.at(500).put(static_cast<std::int32_t>(spec.units));
  return out.bytes() + std::string(data);
}

}  // namespace glia
