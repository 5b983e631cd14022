// Single elements of a kernel's results in float64, straight from the formulas in kernels/api. One
// element of the largest convolution costs milliseconds, so that a benchmark can check results of
// full size; that every element is right is the business of tests/ops.
//
// `a` has its operands in the host's memory as they were before the kernel ran, and `output` is the
// `data` of one of its results.
#pragma once

#include "benchmarks/suite/call.h"
#include "kernels/api/table.h"

namespace glia::bench {

double reference(const Conv2dForward& a, const void* output, Element e);
double reference(const Conv2dDgrad& a, const void* output, Element e);
double reference(const Conv2dWgrad& a, const void* output, Element e);
double reference(const ConvTranspose2dForward& a, const void* output, Element e);
double reference(const ConvTranspose2dDgrad& a, const void* output, Element e);
double reference(const ConvTranspose2dWgrad& a, const void* output, Element e);
double reference(const BatchNormForwardTrain& a, const void* output, Element e);
double reference(const BatchNormBackwardTrain& a, const void* output, Element e);
double reference(const BatchNormReluMapTrain& a, const void* output, Element e);
double reference(const BatchNormReluBackwardTrain& a, const void* output, Element e);
double reference(const Materialise& a, const void* output, Element e);
double reference(const ReluForward& a, const void* output, Element e);
double reference(const ReluBackward& a, const void* output, Element e);
double reference(const MaxPool2dForward& a, const void* output, Element e);
double reference(const MaxPool2dBackward& a, const void* output, Element e);
double reference(const UpsampleNearest2dForward& a, const void* output, Element e);
double reference(const UpsampleNearest2dBackward& a, const void* output, Element e);
double reference(const IouLossForward& a, const void* output, Element e);
double reference(const IouLossBackward& a, const void* output, Element e);
double reference(const Fill& a, const void* output, Element e);
double reference(const Scale& a, const void* output, Element e);
double reference(const AdamStep& a, const void* output, Element e);

/// Any element of a view in the host's memory, whatever its type.
double element(const ConstView& view, Element e);
/// The same, read through a map; an empty one: as it is.
double element(const ConstView& view, const ConstView& map, Element e);

}  // namespace glia::bench
