// RUN: nc-opt %s --split-input-file -p fold-constants | filecheck %s

// What operations mean: the constant folder asks the interpreter, the expected values are worked out by hand.

// CHECK-LABEL: @max_pool2d(
// CHECK: ann.constant dense<{{\[\[\[}}1.000000e+00], [4.000000e+00]]]> : tensor<1x2x1xf32> ->
func.func @max_pool2d() -> tensor<1x2x1xf32> {
  %0 = ann.constant dense<[[[1.0, -2.0], [-3.0, 4.0]]]> : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %r = ann.max_pool2d %0 kernel [1, 2] : tensor<1x2x2xf32> -> tensor<1x2x1xf32>
  func.return %r : tensor<1x2x1xf32>
}

// -----

// Padding never wins.
// CHECK-LABEL: @max_pool2d_padding(
// CHECK: ann.constant dense<-1.000000e+00> : tensor<1x1x1xf32> ->
func.func @max_pool2d_padding() -> tensor<1x1x1xf32> {
  %0 = ann.constant dense<[[[-1.0]]]> : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  %r = ann.max_pool2d %0 kernel [2, 2] padding [1, 0, 0, 1] : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  func.return %r : tensor<1x1x1xf32>
}

// -----

// Elements two apart.
// CHECK-LABEL: @max_pool2d_dilation(
// CHECK: ann.constant dense<2.000000e+00> : tensor<1x1x1xf32> ->
func.func @max_pool2d_dilation() -> tensor<1x1x1xf32> {
  %0 = ann.constant dense<[[[1.0, 9.0, 2.0]]]> : tensor<1x1x3xf32> -> tensor<1x1x3xf32>
  %r = ann.max_pool2d %0 kernel [1, 2] dilation [1, 2] : tensor<1x1x3xf32> -> tensor<1x1x1xf32>
  func.return %r : tensor<1x1x1xf32>
}

// -----

// Zeros outside.
// CHECK-LABEL: @sum_pool2d(
// CHECK: ann.constant dense<{{\[\[\[}}-1.000000e+00], [0.000000e+00]]]> : tensor<1x2x1xf32> ->
func.func @sum_pool2d() -> tensor<1x2x1xf32> {
  %0 = ann.constant dense<[[[1.0, -2.0], [-3.0, 4.0]]]> : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %r = ann.sum_pool2d %0 kernel [2, 2] stride [1, 2] padding [1, 0, 0, 0] : tensor<1x2x2xf32> -> tensor<1x2x1xf32>
  func.return %r : tensor<1x2x1xf32>
}

// -----

// Padding counts.
// CHECK-LABEL: @average_pool2d(
// CHECK: ann.constant dense<{{\[\[\[}}2.000000e+00, 6.000000e+00]]]> : tensor<1x1x2xf32> ->
func.func @average_pool2d() -> tensor<1x1x2xf32> {
  %0 = ann.constant dense<[[[4.0, 8.0]]]> : tensor<1x1x2xf32> -> tensor<1x1x2xf32>
  %r = ann.average_pool2d %0 kernel [1, 2] padding [0, 0, 1, 0] : tensor<1x1x2xf32> -> tensor<1x1x2xf32>
  func.return %r : tensor<1x1x2xf32>
}

// -----

// Padding does not count.
// CHECK-LABEL: @average_pool2d_borders(
// CHECK: ann.constant dense<{{\[\[\[}}4.000000e+00, 6.000000e+00]]]> : tensor<1x1x2xf32> ->
func.func @average_pool2d_borders() -> tensor<1x1x2xf32> {
  %0 = ann.constant dense<[[[4.0, 8.0]]]> : tensor<1x1x2xf32> -> tensor<1x1x2xf32>
  %r = ann.average_pool2d %0 kernel [1, 2] padding [0, 0, 1, 0] count_include_pad false : tensor<1x1x2xf32> -> tensor<1x1x2xf32>
  func.return %r : tensor<1x1x2xf32>
}

// -----

// Windows 0...2, 1...3 of three columns.
// CHECK-LABEL: @adaptive_average_pool2d(
// CHECK: ann.constant dense<{{\[\[\[}}2.000000e+00, 5.000000e+00]]]> : tensor<1x1x2xf32> ->
func.func @adaptive_average_pool2d() -> tensor<1x1x2xf32> {
  %0 = ann.constant dense<[[[1.0, 3.0, 7.0]]]> : tensor<1x1x3xf32> -> tensor<1x1x3xf32>
  %r = ann.adaptive_average_pool2d %0 output [1, 2] : tensor<1x1x3xf32> -> tensor<1x1x2xf32>
  func.return %r : tensor<1x1x2xf32>
}
