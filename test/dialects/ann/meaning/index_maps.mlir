// RUN: nc-opt %s --split-input-file -p fold-constants | filecheck %s

// What operations mean: the constant folder asks the interpreter, the expected values are worked out by hand.

// Row-major order.
// CHECK-LABEL: @reshape(
// CHECK: ann.constant dense<{{\[\[}}1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00], [5.000000e+00, 6.000000e+00]]> : tensor<3x2xf32> ->
func.func @reshape() -> tensor<3x2xf32> {
  %0 = ann.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32> -> tensor<2x3xf32>
  %r = ann.reshape %0 : tensor<2x3xf32> -> tensor<3x2xf32>
  func.return %r : tensor<3x2xf32>
}

// -----

// Axis i of the result is axis permutation[i].
// CHECK-LABEL: @transpose(
// CHECK: ann.constant dense<{{\[\[\[}}1.000000e+00, 4.000000e+00]], {{\[\[}}2.000000e+00, 5.000000e+00]], {{\[\[}}3.000000e+00, 6.000000e+00]]]> : tensor<3x1x2xf32> ->
func.func @transpose() -> tensor<3x1x2xf32> {
  %0 = ann.constant dense<[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]> : tensor<1x2x3xf32> -> tensor<1x2x3xf32>
  %r = ann.transpose %0 permutation [2, 0, 1] : tensor<1x2x3xf32> -> tensor<3x1x2xf32>
  func.return %r : tensor<3x1x2xf32>
}

// -----

// CHECK-LABEL: @slice(
// CHECK: ann.constant dense<{{\[\[}}4.000000e+00, 6.000000e+00]]> : tensor<1x2xf32> ->
func.func @slice() -> tensor<1x2xf32> {
  %0 = ann.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32> -> tensor<2x3xf32>
  %r = ann.slice %0 starts [1, 0] stops [2, 3] steps [1, 2] : tensor<2x3xf32> -> tensor<1x2xf32>
  func.return %r : tensor<1x2xf32>
}

// -----

// Zeros.
// CHECK-LABEL: @pad(
// CHECK: ann.constant dense<[0.000000e+00, 1.000000e+00, 2.000000e+00, 0.000000e+00, 0.000000e+00]> : tensor<5xf32> ->
func.func @pad() -> tensor<5xf32> {
  %0 = ann.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %r = ann.pad %0 low [1] high [2] : tensor<2xf32> -> tensor<5xf32>
  func.return %r : tensor<5xf32>
}

// -----

// CHECK-LABEL: @concat(
// CHECK: ann.constant dense<{{\[\[}}1.000000e+00, 3.000000e+00, 4.000000e+00], [2.000000e+00, 5.000000e+00, 6.000000e+00]]> : tensor<2x3xf32> ->
func.func @concat() -> tensor<2x3xf32> {
  %0 = ann.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %1 = ann.constant dense<[[3.0, 4.0], [5.0, 6.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %r = ann.concat %0, %1 axis 1 : (tensor<2x1xf32>, tensor<2x2xf32>) -> tensor<2x3xf32>
  func.return %r : tensor<2x3xf32>
}
