// RUN: nc-opt %s -p replace-average-pooling --validate | filecheck %s

// At a border that counts fewer elements the divisor differs from place to place, and so do the weights of a diagonal.

func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x3x3xf32> {
  %0 = ann.average_pool2d %x kernel [2, 2] padding [1, 1, 1, 1] count_include_pad false : tensor<1x2x2xf32> -> tensor<1x3x3xf32>
  func.return %0 : tensor<1x3x3xf32>
}

// CHECK: %[[SUM:.*]] = ann.sum_pool2d %x kernel [2, 2] padding [1, 1, 1, 1]
// CHECK-NEXT: ann.diagonal %[[SUM]] weight(dense<{{\[\[\[}}1.000000e+00, 5.000000e-01, 1.000000e+00], [5.000000e-01, 2.500000e-01,
