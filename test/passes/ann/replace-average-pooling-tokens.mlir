// RUN: nc-opt %s -p replace-average-pooling --validate | filecheck %s

// The mean over the tokens of a sequence is a sum whose divisor goes into the classifier.

func.func @main(%x: tensor<4x2xf32>) -> tensor<1xf32> {
  %0 = ann.mean %x axes [0] : tensor<4x2xf32> -> tensor<2xf32>
  %1 = ann.linear %0 weight(dense<8.0> : tensor<1x2xf32>) : tensor<2xf32> -> tensor<1xf32>
  func.return %1 : tensor<1xf32>
}

// CHECK:      %0 = ann.transpose %x permutation [1, 0] : tensor<4x2xf32> -> tensor<2x4xf32>
// CHECK-NEXT: %1 = ann.reshape %0 : tensor<2x4xf32> -> tensor<2x4x1xf32>
// CHECK-NEXT: %2 = ann.sum_pool2d %1 kernel [4, 1]
// CHECK-NEXT: %3 = ann.reshape %2 : tensor<2x1x1xf32> -> tensor<2xf32>
// CHECK-NEXT: %4 = ann.linear %3 weight(dense<2.000000e+00> : tensor<1x2xf32>)
