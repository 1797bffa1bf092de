// RUN: nc-opt %s --split-input-file -p fold-constants | filecheck %s

// What operations mean: the constant folder asks the interpreter, the expected values are worked out by hand.

// max(x, 0)
// CHECK-LABEL: @relu(
// CHECK: ann.constant dense<[0.000000e+00, 0.000000e+00, 0.000000e+00, 1.000000e+00, 8.000000e+00]> : tensor<5xf32> ->
func.func @relu() -> tensor<5xf32> {
  %0 = ann.constant dense<[-2.0, -0.5, 0.0, 1.0, 8.0]> : tensor<5xf32> -> tensor<5xf32>
  %r = ann.relu %0 : tensor<5xf32> -> tensor<5xf32>
  func.return %r : tensor<5xf32>
}

// -----

// 3 levels up to 3, so steps of 1 at 1/2, 3/2, 5/2
// CHECK-LABEL: @rounded_relu(
// CHECK: ann.constant dense<[0.000000e+00, 0.000000e+00, 1.000000e+00, 1.000000e+00, 3.000000e+00]> : tensor<5xf32> ->
func.func @rounded_relu() -> tensor<5xf32> {
  %0 = ann.constant dense<[-2.0, 0.25, 0.5, 1.25, 8.0]> : tensor<5xf32> -> tensor<5xf32>
  %r = ann.rounded_relu %0 clip(dense<3.0> : tensor<1xf32>) levels 3 : tensor<5xf32> -> tensor<5xf32>
  func.return %r : tensor<5xf32>
}

// -----

// min(max(x, -1), 6)
// CHECK-LABEL: @clamp(
// CHECK: ann.constant dense<[-1.000000e+00, -5.000000e-01, 0.000000e+00, 1.000000e+00, 6.000000e+00]> : tensor<5xf32> ->
func.func @clamp() -> tensor<5xf32> {
  %0 = ann.constant dense<[-2.0, -0.5, 0.0, 1.0, 8.0]> : tensor<5xf32> -> tensor<5xf32>
  %r = ann.clamp %0 minimum -1.0 : f64 maximum 6.0 : f64 : tensor<5xf32> -> tensor<5xf32>
  func.return %r : tensor<5xf32>
}

// -----

// Only a lower bound.
// CHECK-LABEL: @clamp_below(
// CHECK: ann.constant dense<[5.000000e-01, 5.000000e-01, 5.000000e-01, 1.000000e+00, 8.000000e+00]> : tensor<5xf32> ->
func.func @clamp_below() -> tensor<5xf32> {
  %0 = ann.constant dense<[-2.0, -0.5, 0.0, 1.0, 8.0]> : tensor<5xf32> -> tensor<5xf32>
  %r = ann.clamp %0 minimum 0.5 : f64 : tensor<5xf32> -> tensor<5xf32>
  func.return %r : tensor<5xf32>
}

// -----

// Only an upper bound.
// CHECK-LABEL: @clamp_above(
// CHECK: ann.constant dense<[-2.000000e+00, -5.000000e-01, 0.000000e+00, 5.000000e-01, 5.000000e-01]> : tensor<5xf32> ->
func.func @clamp_above() -> tensor<5xf32> {
  %0 = ann.constant dense<[-2.0, -0.5, 0.0, 1.0, 8.0]> : tensor<5xf32> -> tensor<5xf32>
  %r = ann.clamp %0 maximum 0.5 : f64 : tensor<5xf32> -> tensor<5xf32>
  func.return %r : tensor<5xf32>
}

// -----

// x, or x / 4 below zero
// CHECK-LABEL: @leaky_relu(
// CHECK: ann.constant dense<[-5.000000e-01, -1.250000e-01, 0.000000e+00, 1.000000e+00, 8.000000e+00]> : tensor<5xf32> ->
func.func @leaky_relu() -> tensor<5xf32> {
  %0 = ann.constant dense<[-2.0, -0.5, 0.0, 1.0, 8.0]> : tensor<5xf32> -> tensor<5xf32>
  %r = ann.leaky_relu %0 slope 0.25 : f64 : tensor<5xf32> -> tensor<5xf32>
  func.return %r : tensor<5xf32>
}

// -----

// min(max(x + 3, 0), 6) / 6
// CHECK-LABEL: @hard_sigmoid(
// CHECK: ann.constant dense<[0.000000e+00, 0.000000e+00, 5.000000e-01, 7.500000e-01, 1.000000e+00, 1.000000e+00]> : tensor<6xf32> ->
func.func @hard_sigmoid() -> tensor<6xf32> {
  %0 = ann.constant dense<[-4.0, -3.0, 0.0, 1.5, 3.0, 9.0]> : tensor<6xf32> -> tensor<6xf32>
  %r = ann.hard_sigmoid %0 : tensor<6xf32> -> tensor<6xf32>
  func.return %r : tensor<6xf32>
}

// -----

// x times that
// CHECK-LABEL: @hard_swish(
// CHECK: ann.constant dense<[-3.750000e-01, 0.000000e+00, 1.125000e+00, 3.000000e+00, 9.000000e+00]> : tensor<5xf32> ->
func.func @hard_swish() -> tensor<5xf32> {
  %0 = ann.constant dense<[-1.5, 0.0, 1.5, 3.0, 9.0]> : tensor<5xf32> -> tensor<5xf32>
  %r = ann.hard_swish %0 : tensor<5xf32> -> tensor<5xf32>
  func.return %r : tensor<5xf32>
}

// -----

// 1 / (1 + exp(-x)); saturates without overflow
// CHECK-LABEL: @sigmoid(
// CHECK: ann.constant dense<[0.000000e+00, 5.000000e-01, 1.000000e+00]> : tensor<3xf32> ->
func.func @sigmoid() -> tensor<3xf32> {
  %0 = ann.constant dense<[-1000.0, 0.0, 1000.0]> : tensor<3xf32> -> tensor<3xf32>
  %r = ann.sigmoid %0 : tensor<3xf32> -> tensor<3xf32>
  func.return %r : tensor<3xf32>
}

// -----

// x times the sigmoid
// CHECK-LABEL: @silu(
// CHECK: ann.constant dense<[{{-0.26894[0-9]*}}, {{0.73105[0-9]*}}, 1.000000e+03]> : tensor<3xf32> ->
func.func @silu() -> tensor<3xf32> {
  %0 = ann.constant dense<[-1.0, 1.0, 1000.0]> : tensor<3xf32> -> tensor<3xf32>
  %r = ann.silu %0 : tensor<3xf32> -> tensor<3xf32>
  func.return %r : tensor<3xf32>
}

// -----

// saturates at -1 and 1
// CHECK-LABEL: @tanh(
// CHECK: ann.constant dense<[-1.000000e+00, 0.000000e+00, 1.000000e+00]> : tensor<3xf32> ->
func.func @tanh() -> tensor<3xf32> {
  %0 = ann.constant dense<[-1000.0, 0.0, 1000.0]> : tensor<3xf32> -> tensor<3xf32>
  %r = ann.tanh %0 : tensor<3xf32> -> tensor<3xf32>
  func.return %r : tensor<3xf32>
}

// -----

// x Φ(x)
// CHECK-LABEL: @gelu(
// CHECK: ann.constant dense<[{{-0.158655[0-9]*}}, {{0.841344[0-9]*}}, 1.000000e+02]> : tensor<3xf32> ->
func.func @gelu() -> tensor<3xf32> {
  %0 = ann.constant dense<[-1.0, 1.0, 100.0]> : tensor<3xf32> -> tensor<3xf32>
  %r = ann.gelu %0 : tensor<3xf32> -> tensor<3xf32>
  func.return %r : tensor<3xf32>
}

// -----

// The approximation by a hyperbolic tangent differs in the fourth digit.
// CHECK-LABEL: @gelu_tanh(
// CHECK: ann.constant dense<[{{-0.158808[0-9]*}}, {{(0.84119|8.4119)[0-9e-]*}}, 1.000000e+02]> : tensor<3xf32> ->
func.func @gelu_tanh() -> tensor<3xf32> {
  %0 = ann.constant dense<[-1.0, 1.0, 100.0]> : tensor<3xf32> -> tensor<3xf32>
  %r = ann.gelu %0 approximate true : tensor<3xf32> -> tensor<3xf32>
  func.return %r : tensor<3xf32>
}

// -----

// exp(x) over the sum along the last axis; large values do not overflow
// CHECK-LABEL: @softmax(
// CHECK: ann.constant dense<{{\[\[}}5.000000e-01, 5.000000e-01], [1.000000e+00, 0.000000e+00]]> : tensor<2x2xf32> ->
func.func @softmax() -> tensor<2x2xf32> {
  %0 = ann.constant dense<[[0.0, 0.0], [1000.0, -1000.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %r = ann.softmax %0 axis 1 : tensor<2x2xf32> -> tensor<2x2xf32>
  func.return %r : tensor<2x2xf32>
}

// -----

// Along the first axis.
// CHECK-LABEL: @softmax_first(
// CHECK: ann.constant dense<{{\[\[}}5.000000e-01, 1.000000e+00], [5.000000e-01, 0.000000e+00]]> : tensor<2x2xf32> ->
func.func @softmax_first() -> tensor<2x2xf32> {
  %0 = ann.constant dense<[[0.0, 1000.0], [0.0, -1000.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %r = ann.softmax %0 axis 0 : tensor<2x2xf32> -> tensor<2x2xf32>
  func.return %r : tensor<2x2xf32>
}

// -----

// x - log(sum exp(x))
// CHECK-LABEL: @log_softmax(
// CHECK: ann.constant dense<[0.000000e+00, -2.000000e+03]> : tensor<2xf32> ->
func.func @log_softmax() -> tensor<2xf32> {
  %0 = ann.constant dense<[1000.0, -1000.0]> : tensor<2xf32> -> tensor<2xf32>
  %r = ann.log_softmax %0 axis 0 : tensor<2xf32> -> tensor<2xf32>
  func.return %r : tensor<2xf32>
}
