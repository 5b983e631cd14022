// In which types cuDNN and cuBLAS are asked for a convolution, without either.
#include "kernels/cudnn/conv_types.h"

#include "tests/catch.h"

namespace glia::test {

using cudnn::Attempt;
using cudnn::ConvTypes;
using cudnn::Epilogue;

constexpr Attempt kAttempts[] = {Attempt::given, Attempt::plain, Attempt::widened};

TEST_CASE("cudnn: convolutions in fp32 and tf32 are asked for in float32 throughout", "[cuda]") {
  for (const ConvPrecision precision : {ConvPrecision::fp32, ConvPrecision::tf32})
    for (const bool bias : {false, true})
      for (const Attempt attempt : kAttempts)
        CHECK((types_of(precision, DType::f32, bias, attempt) ==
               ConvTypes{DType::f32, DType::f32, precision, Epilogue::none}));
}

TEST_CASE("cudnn: in bf16 sums are float32 and rounded once, a weight's gradient never", "[cuda]") {
  constexpr ConvPrecision kBf16 = ConvPrecision::bf16;
  for (const Attempt attempt : {Attempt::given, Attempt::plain}) {
    const auto types = [&](DType stored, bool bias) {
      return types_of(kBf16, stored, bias, attempt);
    };
    CHECK(
        (types(DType::bf16, false) == ConvTypes{DType::bf16, DType::bf16, kBf16, Epilogue::none}));
    // A bias is added before the rounding, not to what has been rounded.
    CHECK((types(DType::bf16, true) ==
           ConvTypes{DType::bf16, DType::bf16, kBf16, Epilogue::add_bias}));
    CHECK(
        (types(DType::f32, false) == ConvTypes{DType::bf16, DType::f32, kBf16, Epilogue::convert}));
    CHECK(
        (types(DType::f32, true) == ConvTypes{DType::bf16, DType::f32, kBf16, Epilogue::add_bias}));
  }
  for (const DType stored : {DType::f32, DType::bf16})
    for (const bool bias : {false, true})
      CHECK((types_of(kBf16, stored, bias, Attempt::widened) ==
             ConvTypes{DType::f32, DType::f32, ConvPrecision::tf32, Epilogue::none}));
}

}  // namespace glia::test
