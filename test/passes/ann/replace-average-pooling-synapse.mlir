// RUN: nc-opt %s -p replace-average-pooling --validate | filecheck %s

// Where no linear operation reads the average it becomes one itself: a convolution of each channel with 1/k.

func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x1x1xf32> {
  %0 = ann.average_pool2d %x kernel [2, 2] : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
  %1 = ann.relu %0 : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  func.return %1 : tensor<1x1x1xf32>
}

// CHECK: ann.conv2d %x weight(dense<2.500000e-01> : tensor<1x1x2x2xf32>)
// CHECK-NEXT: ann.relu
