// RUN: nc-opt %s --split-input-file -p fold-constants | filecheck %s

// What operations mean: the constant folder asks the interpreter, the expected values are worked out by hand.

// max(sum of currents + bias, 0), up to a maximum
// CHECK-LABEL: @neuron(
// CHECK: ann.constant dense<[0.000000e+00, 3.500000e+00, 6.000000e+00]> : tensor<3xf32> ->
func.func @neuron() -> tensor<3xf32> {
  %0 = ann.constant dense<[1.0, 2.0, 30.0]> : tensor<3xf32> -> tensor<3xf32>
  %1 = ann.constant dense<[-5.0, 1.0, 30.0]> : tensor<3xf32> -> tensor<3xf32>
  %r = ann.neuron %0, %1 bias(dense<[0.5, 0.5, 0.5]> : tensor<3xf32>) maximum 6.0 : f64 : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  func.return %r : tensor<3xf32>
}

// -----

// Without a maximum there is none.
// CHECK-LABEL: @neuron_open(
// CHECK: ann.constant dense<[0.000000e+00, 4.000000e+01]> : tensor<2xf32> ->
func.func @neuron_open() -> tensor<2xf32> {
  %0 = ann.constant dense<[-1.0, 40.0]> : tensor<2xf32> -> tensor<2xf32>
  %r = ann.neuron %0 : (tensor<2xf32>) -> tensor<2xf32>
  func.return %r : tensor<2xf32>
}
