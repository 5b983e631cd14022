// Views as kernels see them.
#include "kernels/api/view.h"

#include "engine/base/error.h"
#include "tests/catch.h"

namespace glia {

TEST_CASE("a view gives its elements only as what they are") {
  float values[4] = {1, 2, 3, 4};
  View view;
  view.data = values;
  view.shape = Shape{2, 2};
  view.pitch = 2;
  const ConstView reading = view;
  CHECK(view.as<float>() == values);
  CHECK(reading.as<float>() == values);
  CHECK(reading.as<std::byte>() == static_cast<const void*>(values));
  CHECK_THROWS_WITH(view.as<std::uint8_t>(), StartsWith("a view of f32 elements is used as u8"));
  CHECK_THROWS_AS(reading.as<double>(), Error);
  CHECK(ConstView().as<double>() == nullptr);  // an operand that is not given
}

}  // namespace glia
