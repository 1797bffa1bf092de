// RUN: nc-opt %s --split-input-file -p fold-batch-norm --validate | filecheck %s

// On its way up to a linear operation a norm passes what only moves or pools elements.

// A one-dimensional convolution is one over a height of one, between reshapes.

// CHECK-LABEL: @reshape
// CHECK-NEXT: %[[C:.*]] = ann.conv2d %x weight(dense<{{\[\[\[\[}}2.000000e+00]]], {{\[\[\[}}3.000000e+00]]]]> : tensor<2x1x1x1xf32>)
// CHECK-NEXT: ann.reshape %[[C]] {nc.origin = "norm"}
// CHECK-NEXT: func.return
func.func @reshape(%x: tensor<1x1x3xf32>) -> tensor<2x3xf32> {
  %0 = ann.conv2d %x weight(dense<1.0> : tensor<2x1x1x1xf32>) : tensor<1x1x3xf32> -> tensor<2x1x3xf32>
  %1 = ann.reshape %0 : tensor<2x1x3xf32> -> tensor<2x3xf32>
  %2 = ann.batch_norm %1 scale(dense<[2.0, 3.0]> : tensor<2xf32>) shift(dense<0.0> : tensor<2xf32>) mean(dense<0.0> : tensor<2xf32>) variance(dense<1.0> : tensor<2xf32>) epsilon 0.0 : f64 {nc.origin = "norm"} : tensor<2x3xf32> -> tensor<2x3xf32>
  func.return %2 : tensor<2x3xf32>
}

// -----

// Every branch of a concatenation takes the scales of its own channels.

// CHECK-LABEL: @concat
// CHECK-NEXT: %[[A:.*]] = ann.conv2d %x weight(dense<1.000000e+01> : tensor<1x1x1x1xf32>) bias(dense<5.000000e+00>
// CHECK-NEXT: %[[B:.*]] = ann.conv2d %x weight(dense<2.100000e+01> : tensor<1x1x1x1xf32>) bias(dense<5.000000e+00>
// CHECK-NEXT: ann.concat %[[A]], %[[B]] axis 0
func.func @concat(%x: tensor<1x2x2xf32>) -> tensor<2x2x2xf32> {
  %0 = ann.conv2d %x weight(dense<5.0> : tensor<1x1x1x1xf32>) : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %1 = ann.conv2d %x weight(dense<7.0> : tensor<1x1x1x1xf32>) : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %2 = ann.concat %0, %1 axis 0 : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> tensor<2x2x2xf32>
  %3 = ann.batch_norm %2 scale(dense<[2.0, 3.0]> : tensor<2xf32>) shift(dense<5.0> : tensor<2xf32>) mean(dense<0.0> : tensor<2xf32>) variance(dense<1.0> : tensor<2xf32>) epsilon 0.0 : f64 : tensor<2x2x2xf32> -> tensor<2x2x2xf32>
  func.return %3 : tensor<2x2x2xf32>
}

// -----

// A positive scale commutes with a maximum.

// CHECK-LABEL: @max_pool
// CHECK-NEXT: %[[C:.*]] = ann.conv2d %x weight(dense<1.000000e+01> : tensor<1x1x1x1xf32>) bias(dense<3.000000e+00>
// CHECK-NEXT: ann.max_pool2d %[[C]]
func.func @max_pool(%x: tensor<1x2x2xf32>) -> tensor<1x1x1xf32> {
  %0 = ann.conv2d %x weight(dense<5.0> : tensor<1x1x1x1xf32>) : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %1 = ann.max_pool2d %0 kernel [2, 2] : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
  %2 = ann.batch_norm %1 scale(dense<2.0> : tensor<1xf32>) shift(dense<3.0> : tensor<1xf32>) mean(dense<0.0> : tensor<1xf32>) variance(dense<1.0> : tensor<1xf32>) epsilon 0.0 : f64 : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  func.return %2 : tensor<1x1x1xf32>
}

// -----

// A negative one turns it into a minimum.

// CHECK-LABEL: @max_pool_negative
// CHECK-NEXT: ann.conv2d %x weight(dense<5.000000e+00>
// CHECK-NEXT: ann.max_pool2d
// CHECK-NEXT: ann.affine
func.func @max_pool_negative(%x: tensor<1x2x2xf32>) -> tensor<1x1x1xf32> {
  %0 = ann.conv2d %x weight(dense<5.0> : tensor<1x1x1x1xf32>) : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %1 = ann.max_pool2d %0 kernel [2, 2] : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
  %2 = ann.batch_norm %1 scale(dense<-2.0> : tensor<1xf32>) shift(dense<3.0> : tensor<1xf32>) mean(dense<0.0> : tensor<1xf32>) variance(dense<1.0> : tensor<1xf32>) epsilon 0.0 : f64 : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  func.return %2 : tensor<1x1x1xf32>
}

// -----

// A shift passes an average only where no zeros of padding count.

// CHECK-LABEL: @average_pool
// CHECK-NEXT: %[[C:.*]] = ann.conv2d %x weight(dense<1.000000e+01> : tensor<1x1x1x1xf32>) bias(dense<3.000000e+00>
// CHECK-NEXT: ann.average_pool2d %[[C]]
func.func @average_pool(%x: tensor<1x2x2xf32>) -> tensor<1x1x1xf32> {
  %0 = ann.conv2d %x weight(dense<5.0> : tensor<1x1x1x1xf32>) : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %1 = ann.average_pool2d %0 kernel [2, 2] : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
  %2 = ann.affine %1 scale(dense<2.0> : tensor<1xf32>) shift(dense<3.0> : tensor<1xf32>) : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  func.return %2 : tensor<1x1x1xf32>
}

// -----

// CHECK-LABEL: @average_pool_padded
// CHECK-NEXT: ann.conv2d %x weight(dense<5.000000e+00>
// CHECK-NEXT: ann.average_pool2d
// CHECK-NEXT: ann.affine
func.func @average_pool_padded(%x: tensor<1x2x2xf32>) -> tensor<1x1x1xf32> {
  %0 = ann.conv2d %x weight(dense<5.0> : tensor<1x1x1x1xf32>) : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %1 = ann.average_pool2d %0 kernel [2, 2] stride [2, 2] padding [1, 0, 0, 0] : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
  %2 = ann.affine %1 scale(dense<2.0> : tensor<1xf32>) shift(dense<3.0> : tensor<1xf32>) : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  func.return %2 : tensor<1x1x1xf32>
}
