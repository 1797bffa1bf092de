// RUN: nc-opt %s --split-input-file -p fold-constants | filecheck %s

// What operations mean: the constant folder asks the interpreter, the expected values are worked out by hand.

// scale x + shift, broadcast
// CHECK-LABEL: @affine(
// CHECK: ann.constant dense<{{\[\[}}1.100000e+01, 2.200000e+01], [3.010000e+02, 4.020000e+02]]> : tensor<2x2xf32> ->
func.func @affine() -> tensor<2x2xf32> {
  %0 = ann.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %r = ann.affine %0 scale(dense<[[10.0], [100.0]]> : tensor<2x1xf32>) shift(dense<[1.0, 2.0]> : tensor<2xf32>) : tensor<2x2xf32> -> tensor<2x2xf32>
  func.return %r : tensor<2x2xf32>
}

// -----

// scale (x - mean) / sqrt(variance + epsilon) + shift, per channel (the first axis)
// CHECK-LABEL: @batch_norm(
// CHECK: ann.constant dense<{{\[\[}}1.000000e+01, 1.100000e+01], [2.200000e+01, 2.400000e+01]]> : tensor<2x2xf32> ->
func.func @batch_norm() -> tensor<2x2xf32> {
  %0 = ann.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %r = ann.batch_norm %0 scale(dense<[1.0, 6.0]> : tensor<2xf32>) shift(dense<[10.0, 20.0]> : tensor<2xf32>) mean(dense<[1.0, 2.0]> : tensor<2xf32>) variance(dense<[0.0, 8.0]> : tensor<2xf32>) epsilon 1.0 : f64 : tensor<2x2xf32> -> tensor<2x2xf32>
  func.return %r : tensor<2x2xf32>
}

// -----

// Each row to mean 0 and variance 1 (here 4 + epsilon 0), then scale and shift.
// CHECK-LABEL: @layer_norm(
// CHECK: ann.constant dense<{{\[\[}}-5.000000e-01, 1.050000e+01], [-5.000000e-01, 1.050000e+01]]> : tensor<2x2xf32> ->
func.func @layer_norm() -> tensor<2x2xf32> {
  %0 = ann.constant dense<[[1.0, 5.0], [-2.0, 2.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %r = ann.layer_norm %0 normalized [2] scale(dense<[1.0, 10.0]> : tensor<2xf32>) shift(dense<[0.5, 0.5]> : tensor<2xf32>) epsilon 0.0 : f64 : tensor<2x2xf32> -> tensor<2x2xf32>
  func.return %r : tensor<2x2xf32>
}

// -----

// Over all axes: mean 2, variance 4 + epsilon 5.
// CHECK-LABEL: @layer_norm_all(
// CHECK: ann.constant dense<{{\[\[}}-1.000000e+00, 1.000000e+00], [1.000000e+00, -1.000000e+00]]> : tensor<2x2xf32> ->
func.func @layer_norm_all() -> tensor<2x2xf32> {
  %0 = ann.constant dense<[[0.0, 4.0], [4.0, 0.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %r = ann.layer_norm %0 normalized [2, 2] epsilon 0.0 : f64 : tensor<2x2xf32> -> tensor<2x2xf32>
  func.return %r : tensor<2x2xf32>
}

// -----

// CHECK-LABEL: @add(
// CHECK: ann.constant dense<{{\[\[}}1.100000e+01, 2.200000e+01]]> : tensor<1x2xf32> ->
func.func @add() -> tensor<1x2xf32> {
  %0 = ann.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32> -> tensor<1x2xf32>
  %1 = ann.constant dense<[10.0, 20.0]> : tensor<2xf32> -> tensor<2xf32>
  %r = ann.add %0, %1 : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  func.return %r : tensor<1x2xf32>
}

// -----

// Broadcasts both ways.
// CHECK-LABEL: @sub(
// CHECK: ann.constant dense<{{\[\[}}-9.000000e+00, -1.900000e+01], [-8.000000e+00, -1.800000e+01]]> : tensor<2x2xf32> ->
func.func @sub() -> tensor<2x2xf32> {
  %0 = ann.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %1 = ann.constant dense<[10.0, 20.0]> : tensor<2xf32> -> tensor<2xf32>
  %r = ann.sub %0, %1 : (tensor<2x1xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  func.return %r : tensor<2x2xf32>
}

// -----

// CHECK-LABEL: @mul(
// CHECK: ann.constant dense<[2.000000e+01, -3.000000e+00]> : tensor<2xf32> ->
func.func @mul() -> tensor<2xf32> {
  %0 = ann.constant dense<[2.0, 3.0]> : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.constant dense<[10.0, -1.0]> : tensor<2xf32> -> tensor<2xf32>
  %r = ann.mul %0, %1 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %r : tensor<2xf32>
}

// -----

// CHECK-LABEL: @matmul(
// CHECK: ann.constant dense<{{\[\[}}2.010000e+02, 2.010000e+03], [4.030000e+02, 4.030000e+03]]> : tensor<2x2xf32> ->
func.func @matmul() -> tensor<2x2xf32> {
  %0 = ann.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %1 = ann.constant dense<[[1.0, 10.0], [100.0, 1000.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %r = ann.matmul %0, %1 : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  func.return %r : tensor<2x2xf32>
}

// -----

// Equal scores: the mean of the values.
// CHECK-LABEL: @attention(
// CHECK: ann.constant dense<4.000000e+00> : tensor<1x1xf32> ->
func.func @attention() -> tensor<1x1xf32> {
  %0 = ann.constant dense<[[0.0, 0.0]]> : tensor<1x2xf32> -> tensor<1x2xf32>
  %1 = ann.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %2 = ann.constant dense<[[2.0], [6.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %r = ann.attention %0, %1, %2 scale 1.0 : f64 : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
  func.return %r : tensor<1x1xf32>
}

// -----

// A score that is far ahead takes all: 100 (1, 0) against 100 (0, 1).
// CHECK-LABEL: @attention_scale(
// CHECK: ann.constant dense<2.000000e+00> : tensor<1x1xf32> ->
func.func @attention_scale() -> tensor<1x1xf32> {
  %0 = ann.constant dense<[[1.0, 0.0]]> : tensor<1x2xf32> -> tensor<1x2xf32>
  %1 = ann.constant dense<[[1.0, 0.0], [0.0, 1.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %2 = ann.constant dense<[[2.0], [6.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %r = ann.attention %0, %1, %2 scale 1000.0 : f64 : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
  func.return %r : tensor<1x1xf32>
}

// -----

// The first query reads the first key only.
// CHECK-LABEL: @attention_causal(
// CHECK: ann.constant dense<{{\[\[}}2.000000e+00], [4.000000e+00]]> : tensor<2x1xf32> ->
func.func @attention_causal() -> tensor<2x1xf32> {
  %0 = ann.constant dense<[[0.0, 0.0], [0.0, 0.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %1 = ann.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %2 = ann.constant dense<[[2.0], [6.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %r = ann.attention %0, %1, %2 scale 1.0 : f64 causal true : (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  func.return %r : tensor<2x1xf32>
}

// -----

// What is masked by minus a thousand is not read.
// CHECK-LABEL: @attention_mask(
// CHECK: ann.constant dense<6.000000e+00> : tensor<1x1xf32> ->
func.func @attention_mask() -> tensor<1x1xf32> {
  %0 = ann.constant dense<[[0.0, 0.0]]> : tensor<1x2xf32> -> tensor<1x2xf32>
  %1 = ann.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %2 = ann.constant dense<[[2.0], [6.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %r = ann.attention %0, %1, %2 scale 1.0 : f64 mask(dense<[[-1000.0, 0.0]]> : tensor<1x2xf32>) : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
  func.return %r : tensor<1x1xf32>
}

// -----

// CHECK-LABEL: @mean(
// CHECK: ann.constant dense<[2.000000e+00, 4.000000e+00]> : tensor<2xf32> ->
func.func @mean() -> tensor<2xf32> {
  %0 = ann.constant dense<[[1.0, 2.0], [3.0, 6.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %r = ann.mean %0 axes [0] : tensor<2x2xf32> -> tensor<2xf32>
  func.return %r : tensor<2xf32>
}

// -----

// CHECK-LABEL: @mean_keep(
// CHECK: ann.constant dense<3.000000e+00> : tensor<1x1xf32> ->
func.func @mean_keep() -> tensor<1x1xf32> {
  %0 = ann.constant dense<[[1.0, 2.0], [3.0, 6.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %r = ann.mean %0 axes [0, 1] keep true : tensor<2x2xf32> -> tensor<1x1xf32>
  func.return %r : tensor<1x1xf32>
}
