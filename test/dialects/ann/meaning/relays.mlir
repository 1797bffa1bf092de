// RUN: nc-opt %s --split-input-file -p fold-constants | filecheck %s

// What operations mean: the constant folder asks the interpreter, the expected values are worked out by hand.

// The sum of currents and bias, of either sign
// CHECK-LABEL: @relay(
// CHECK: ann.constant dense<[-3.500000e+00, 3.500000e+00, 6.050000e+01]> : tensor<3xf32> ->
func.func @relay() -> tensor<3xf32> {
  %0 = ann.constant dense<[1.0, 2.0, 30.0]> : tensor<3xf32> -> tensor<3xf32>
  %1 = ann.constant dense<[-5.0, 1.0, 30.0]> : tensor<3xf32> -> tensor<3xf32>
  %r = ann.relay %0, %1 bias(dense<0.5> : tensor<1xf32>) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  func.return %r : tensor<3xf32>
}

// -----

// exp(2 x) over its sum: 1 to 4 for a distance of log(2)
// CHECK-LABEL: @softmax_scale(
// CHECK: ann.constant dense<[2.000000e-01, 8.000000e-01]> : tensor<2xf32> ->
func.func @softmax_scale() -> tensor<2xf32> {
  %0 = ann.constant dense<[0.0, 0.6931471805599453]> : tensor<2xf32> -> tensor<2xf32>
  %r = ann.softmax %0 axis 0 scale 2.0 : f64 : tensor<2xf32> -> tensor<2xf32>
  func.return %r : tensor<2xf32>
}
