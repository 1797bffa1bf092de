// RUN: nc-opt %s -p replace-average-pooling --validate | filecheck %s

// The divisor goes into a convolution, also one that pads, and into every one that reads the average.

func.func @main(%x: tensor<1x4x4xf32>) -> (tensor<1x2x2xf32>, tensor<1x2x2xf32>) {
  %0 = ann.average_pool2d %x kernel [2, 2] stride [2, 2] : tensor<1x4x4xf32> -> tensor<1x2x2xf32>
  %1 = ann.conv2d %0 weight(dense<4.0> : tensor<1x1x3x3xf32>) padding [1, 1, 1, 1] : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %2 = ann.conv2d %0 weight(dense<8.0> : tensor<1x1x1x1xf32>) : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  func.return %1, %2 : tensor<1x2x2xf32>, tensor<1x2x2xf32>
}

// CHECK:      %[[S:.*]] = ann.sum_pool2d %x kernel [2, 2] stride [2, 2]
// CHECK-NEXT: ann.conv2d %[[S]] weight(dense<1.000000e+00>
// CHECK-NEXT: ann.conv2d %[[S]] weight(dense<2.000000e+00>
