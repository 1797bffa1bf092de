// RUN: nc-opt %s --split-input-file -p fold-batch-norm --validate | filecheck %s

// Padding is zero, not shifted: in front of a convolution that pads, only a norm without a shift folds.

// CHECK-LABEL: @shifted
// CHECK:      %[[X:.*]] = ann.affine %x
// CHECK-NEXT: ann.conv2d %[[X]] weight(dense<1.000000e+00>
func.func @shifted(%x: tensor<1x1x1xf32>) -> tensor<1x1x1xf32> {
  %0 = ann.batch_norm %x scale(dense<2.0> : tensor<1xf32>) shift(dense<3.0> : tensor<1xf32>) mean(dense<0.0> : tensor<1xf32>) variance(dense<1.0> : tensor<1xf32>) epsilon 0.0 : f64 : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  %1 = ann.conv2d %0 weight(dense<1.0> : tensor<1x1x3x3xf32>) padding [1, 1, 1, 1] : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  func.return %1 : tensor<1x1x1xf32>
}

// -----

// CHECK-LABEL: @scaled
// CHECK-NEXT: ann.conv2d %x weight(dense<2.000000e+00>
func.func @scaled(%x: tensor<1x1x1xf32>) -> tensor<1x1x1xf32> {
  %0 = ann.batch_norm %x scale(dense<2.0> : tensor<1xf32>) shift(dense<0.0> : tensor<1xf32>) mean(dense<0.0> : tensor<1xf32>) variance(dense<1.0> : tensor<1xf32>) epsilon 0.0 : f64 : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  %1 = ann.conv2d %0 weight(dense<1.0> : tensor<1x1x3x3xf32>) padding [1, 1, 1, 1] : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  func.return %1 : tensor<1x1x1xf32>
}
