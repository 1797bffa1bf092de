// RUN: nc-opt %s --split-input-file -p fold-batch-norm --validate | filecheck %s

// Without a linear operation before it, a norm goes down to those behind it, past what only moves or pools elements.

// Behind a flattening, each channel has several columns.

// CHECK-LABEL: @flatten
// CHECK-NEXT: %[[R:.*]] = ann.relu %x
// CHECK-NEXT: %[[V:.*]] = ann.reshape %[[R]] : tensor<2x1x2xf32> -> tensor<4xf32>
// CHECK-NEXT: ann.linear %[[V]] weight(dense<{{\[\[}}2.000000e+00, 2.000000e+00, 3.000000e+00, 3.000000e+00]]> : tensor<1x4xf32>) bias(dense<2.200000e+01> : tensor<1xf32>)
// CHECK-NEXT: func.return
func.func @flatten(%x: tensor<2x1x2xf32>) -> tensor<1xf32> {
  %0 = ann.relu %x : tensor<2x1x2xf32> -> tensor<2x1x2xf32>
  %1 = ann.batch_norm %0 scale(dense<[2.0, 3.0]> : tensor<2xf32>) shift(dense<[5.0, 6.0]> : tensor<2xf32>) mean(dense<0.0> : tensor<2xf32>) variance(dense<1.0> : tensor<2xf32>) epsilon 0.0 : f64 : tensor<2x1x2xf32> -> tensor<2x1x2xf32>
  %2 = ann.reshape %1 {nc.origin = "not what it was"} : tensor<2x1x2xf32> -> tensor<4xf32>
  %3 = ann.linear %2 weight(dense<1.0> : tensor<1x4xf32>) : tensor<4xf32> -> tensor<1xf32>
  func.return %3 : tensor<1xf32>
}

// -----

// A concatenation with something else keeps that as it is.

// CHECK-LABEL: @concat
// CHECK-NEXT: %[[V:.*]] = ann.concat %x, %x axis 0
// CHECK-NEXT: ann.conv2d %[[V]] weight(dense<{{\[\[\[\[}}2.000000e+00]], {{\[\[}}1.000000e+00]]]]> : tensor<1x2x1x1xf32>) bias(dense<5.000000e+00> : tensor<1xf32>)
func.func @concat(%x: tensor<1x1x1xf32>) -> tensor<1x1x1xf32> {
  %0 = ann.affine %x scale(dense<2.0> : tensor<1xf32>) shift(dense<5.0> : tensor<1xf32>) : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  %1 = ann.concat %0, %x axis 0 : (tensor<1x1x1xf32>, tensor<1x1x1xf32>) -> tensor<2x1x1xf32>
  %2 = ann.conv2d %1 weight(dense<1.0> : tensor<1x2x1x1xf32>) : tensor<2x1x1xf32> -> tensor<1x1x1xf32>
  func.return %2 : tensor<1x1x1xf32>
}

// -----

// Padding stays zero.

// CHECK-LABEL: @pad
// CHECK-NEXT: %[[P:.*]] = ann.pad %x low [1] high [0]
// CHECK-NEXT: ann.linear %[[P]] weight(dense<{{.*}}, 2.000000e+00]]> : tensor<1x2xf32>) bias(dense<5.000000e+00>
func.func @pad(%x: tensor<1xf32>) -> tensor<1xf32> {
  %0 = ann.affine %x scale(dense<2.0> : tensor<1xf32>) shift(dense<5.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
  %1 = ann.pad %0 low [1] high [0] : tensor<1xf32> -> tensor<2xf32>
  %2 = ann.linear %1 weight(dense<1.0> : tensor<1x2xf32>) : tensor<2xf32> -> tensor<1xf32>
  func.return %2 : tensor<1xf32>
}

// -----

// A scale that differs within a channel is in no weight of a convolution.

// CHECK-LABEL: @within_a_channel
// CHECK-NEXT: %[[A:.*]] = ann.affine %x
// CHECK-NEXT: ann.conv2d %[[A]]
func.func @within_a_channel(%x: tensor<1x1x2xf32>) -> tensor<1x1x2xf32> {
  %0 = ann.affine %x scale(dense<[2.0, 3.0]> : tensor<2xf32>) : tensor<1x1x2xf32> -> tensor<1x1x2xf32>
  %1 = ann.conv2d %0 weight(dense<1.0> : tensor<1x1x1x1xf32>) : tensor<1x1x2xf32> -> tensor<1x1x2xf32>
  func.return %1 : tensor<1x1x2xf32>
}
