// RUN: nc-opt %s --split-input-file -p fold-batch-norm --validate | filecheck %s

// A convolution that others read too stays as it is; a norm folds into each linear operation that reads it.

// CHECK-LABEL: @producer_shared
// CHECK-NEXT: %[[C:.*]] = ann.conv2d %x weight(dense<5.000000e+00>
// CHECK-NEXT: %[[N:.*]] = ann.affine %[[C]]
// CHECK-NEXT: ann.add %[[C]], %[[N]]
func.func @producer_shared(%x: tensor<1x1x1xf32>) -> tensor<1x1x1xf32> {
  %0 = ann.conv2d %x weight(dense<5.0> : tensor<1x1x1x1xf32>) : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  %1 = ann.batch_norm %0 scale(dense<2.0> : tensor<1xf32>) shift(dense<0.0> : tensor<1xf32>) mean(dense<0.0> : tensor<1xf32>) variance(dense<1.0> : tensor<1xf32>) epsilon 0.0 : f64 : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  %2 = ann.add %0, %1 : (tensor<1x1x1xf32>, tensor<1x1x1xf32>) -> tensor<1x1x1xf32>
  func.return %2 : tensor<1x1x1xf32>
}

// -----

// CHECK-LABEL: @two_readers
// CHECK-NEXT: %[[A:.*]] = ann.conv2d %x weight(dense<1.000000e+01>
// CHECK-NEXT: %[[B:.*]] = ann.conv2d %x weight(dense<1.400000e+01>
// CHECK-NEXT: ann.add %[[A]], %[[B]]
func.func @two_readers(%x: tensor<1x1x1xf32>) -> tensor<1x1x1xf32> {
  %0 = ann.batch_norm %x scale(dense<2.0> : tensor<1xf32>) shift(dense<0.0> : tensor<1xf32>) mean(dense<0.0> : tensor<1xf32>) variance(dense<1.0> : tensor<1xf32>) epsilon 0.0 : f64 : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  %1 = ann.conv2d %0 weight(dense<5.0> : tensor<1x1x1x1xf32>) : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  %2 = ann.conv2d %0 weight(dense<7.0> : tensor<1x1x1x1xf32>) : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  %3 = ann.add %1, %2 : (tensor<1x1x1xf32>, tensor<1x1x1xf32>) -> tensor<1x1x1xf32>
  func.return %3 : tensor<1x1x1xf32>
}

// -----

// CHECK-LABEL: @another_reader
// CHECK-NEXT: %[[N:.*]] = ann.affine %x scale(dense<2.000000e+00>
// CHECK-NEXT: ann.conv2d %x weight(dense<1.000000e+01>
// CHECK-NEXT: ann.relu %[[N]]
func.func @another_reader(%x: tensor<1x1x1xf32>) -> (tensor<1x1x1xf32>, tensor<1x1x1xf32>) {
  %0 = ann.batch_norm %x scale(dense<2.0> : tensor<1xf32>) shift(dense<0.0> : tensor<1xf32>) mean(dense<0.0> : tensor<1xf32>) variance(dense<1.0> : tensor<1xf32>) epsilon 0.0 : f64 : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  %1 = ann.conv2d %0 weight(dense<5.0> : tensor<1x1x1x1xf32>) : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  %2 = ann.relu %0 : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  func.return %1, %2 : tensor<1x1x1xf32>, tensor<1x1x1xf32>
}
