// RUN: nc-opt %s --split-input-file -p fold-constants | filecheck %s

// What operations mean: the constant folder asks the interpreter, the expected values are worked out by hand.

// A cross-correlation: the kernel is not turned.
// CHECK-LABEL: @conv2d(
// CHECK: ann.constant dense<{{\[\[\[}}2.100000e+01], [4.300000e+01]]]> : tensor<1x2x1xf32> ->
func.func @conv2d() -> tensor<1x2x1xf32> {
  %0 = ann.constant dense<[[[1.0, 2.0], [3.0, 4.0]]]> : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %r = ann.conv2d %0 weight(dense<[[[[1.0, 10.0]]]]> : tensor<1x1x1x2xf32>) : tensor<1x2x2xf32> -> tensor<1x2x1xf32>
  func.return %r : tensor<1x2x1xf32>
}

// -----

// Sums over input channels, then the bias.
// CHECK-LABEL: @conv2d_bias(
// CHECK: ann.constant dense<{{\[\[\[}}1.110000e+02]], {{\[\[}}2.170000e+02]]]> : tensor<2x1x1xf32> ->
func.func @conv2d_bias() -> tensor<2x1x1xf32> {
  %0 = ann.constant dense<[[[1.0]], [[2.0]]]> : tensor<2x1x1xf32> -> tensor<2x1x1xf32>
  %r = ann.conv2d %0 weight(dense<[[[[3.0]], [[4.0]]], [[[5.0]], [[6.0]]]]> : tensor<2x2x1x1xf32>) bias(dense<[100.0, 200.0]> : tensor<2xf32>) : tensor<2x1x1xf32> -> tensor<2x1x1xf32>
  func.return %r : tensor<2x1x1xf32>
}

// -----

// Every second column, from the padding on: top, bottom, left, right.
// CHECK-LABEL: @conv2d_stride(
// CHECK: ann.constant dense<{{\[\[\[}}1.000000e+01, 3.200000e+01]]]> : tensor<1x1x2xf32> ->
func.func @conv2d_stride() -> tensor<1x1x2xf32> {
  %0 = ann.constant dense<[[[1.0, 2.0, 3.0]]]> : tensor<1x1x3xf32> -> tensor<1x1x3xf32>
  %r = ann.conv2d %0 weight(dense<[[[[1.0, 10.0]]]]> : tensor<1x1x1x2xf32>) stride [1, 2] padding [0, 0, 1, 0] : tensor<1x1x3xf32> -> tensor<1x1x2xf32>
  func.return %r : tensor<1x1x2xf32>
}

// -----

// Taps two apart.
// CHECK-LABEL: @conv2d_dilation(
// CHECK: ann.constant dense<3.100000e+01> : tensor<1x1x1xf32> ->
func.func @conv2d_dilation() -> tensor<1x1x1xf32> {
  %0 = ann.constant dense<[[[1.0, 2.0, 3.0]]]> : tensor<1x1x3xf32> -> tensor<1x1x3xf32>
  %r = ann.conv2d %0 weight(dense<[[[[1.0, 10.0]]]]> : tensor<1x1x1x2xf32>) dilation [1, 2] : tensor<1x1x3xf32> -> tensor<1x1x1xf32>
  func.return %r : tensor<1x1x1xf32>
}

// -----

// Each output channel reads its own input channel.
// CHECK-LABEL: @conv2d_groups(
// CHECK: ann.constant dense<{{\[\[\[}}3.000000e+00]], {{\[\[}}8.000000e+00]]]> : tensor<2x1x1xf32> ->
func.func @conv2d_groups() -> tensor<2x1x1xf32> {
  %0 = ann.constant dense<[[[1.0]], [[2.0]]]> : tensor<2x1x1xf32> -> tensor<2x1x1xf32>
  %r = ann.conv2d %0 weight(dense<[[[[3.0]]], [[[4.0]]]]> : tensor<2x1x1x1xf32>) groups 2 : tensor<2x1x1xf32> -> tensor<2x1x1xf32>
  func.return %r : tensor<2x1x1xf32>
}

// -----

// W x + b over the last axis.
// CHECK-LABEL: @linear(
// CHECK: ann.constant dense<{{\[\[}}2.100000e+01, 1.000000e+02, 2.500000e+00], [4.300000e+01, 3.000000e+02, 4.500000e+00]]> : tensor<2x3xf32> ->
func.func @linear() -> tensor<2x3xf32> {
  %0 = ann.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %r = ann.linear %0 weight(dense<[[1.0, 10.0], [100.0, 0.0], [0.0, 1.0]]> : tensor<3x2xf32>) bias(dense<[0.0, 0.0, 0.5]> : tensor<3xf32>) : tensor<2x2xf32> -> tensor<2x3xf32>
  func.return %r : tensor<2x3xf32>
}

// -----

// Every element times its own weight.
// CHECK-LABEL: @diagonal(
// CHECK: ann.constant dense<{{\[\[\[}}1.000000e+01, 2.000000e+01]], {{\[\[}}3.000000e+02, 4.000000e+02]]]> : tensor<2x1x2xf32> ->
func.func @diagonal() -> tensor<2x1x2xf32> {
  %0 = ann.constant dense<[[[1.0, 2.0]], [[3.0, 4.0]]]> : tensor<2x1x2xf32> -> tensor<2x1x2xf32>
  %r = ann.diagonal %0 weight(dense<[[[10.0]], [[100.0]]]> : tensor<2x1x1xf32>) : tensor<2x1x2xf32> -> tensor<2x1x2xf32>
  func.return %r : tensor<2x1x2xf32>
}
