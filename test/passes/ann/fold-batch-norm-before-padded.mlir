// RUN: nc-opt %s --split-input-file -p fold-batch-norm --validate | filecheck %s

// Padding is zero, not shifted: in front of a convolution that pads, a shift becomes one that knows the borders, where
// fewer elements of a window are shifted; without a shift nothing stays behind.

// CHECK-LABEL: @shifted
// CHECK-NEXT: %[[C:.*]] = ann.conv2d %x weight(dense<2.000000e+00> : tensor<1x1x1x3xf32>) padding [0, 0, 1, 1]
// CHECK-NEXT: ann.affine %[[C]] shift(dense<{{\[\[\[}}6.000000e+00, 9.000000e+00, 6.000000e+00]]]> : tensor<1x1x3xf32>)
// CHECK-NEXT: func.return
func.func @shifted(%x: tensor<1x1x3xf32>) -> tensor<1x1x3xf32> {
  %0 = ann.batch_norm %x scale(dense<2.0> : tensor<1xf32>) shift(dense<3.0> : tensor<1xf32>) mean(dense<0.0> : tensor<1xf32>) variance(dense<1.0> : tensor<1xf32>) epsilon 0.0 : f64 : tensor<1x1x3xf32> -> tensor<1x1x3xf32>
  %1 = ann.conv2d %0 weight(dense<1.0> : tensor<1x1x1x3xf32>) padding [0, 0, 1, 1] : tensor<1x1x3xf32> -> tensor<1x1x3xf32>
  func.return %1 : tensor<1x1x3xf32>
}

// -----

// CHECK-LABEL: @scaled
// CHECK-NEXT: ann.conv2d %x weight(dense<2.000000e+00>
// CHECK-NEXT: func.return
func.func @scaled(%x: tensor<1x1x1xf32>) -> tensor<1x1x1xf32> {
  %0 = ann.batch_norm %x scale(dense<2.0> : tensor<1xf32>) shift(dense<0.0> : tensor<1xf32>) mean(dense<0.0> : tensor<1xf32>) variance(dense<1.0> : tensor<1xf32>) epsilon 0.0 : f64 : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  %1 = ann.conv2d %0 weight(dense<1.0> : tensor<1x1x3x3xf32>) padding [1, 1, 1, 1] : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  func.return %1 : tensor<1x1x1xf32>
}
