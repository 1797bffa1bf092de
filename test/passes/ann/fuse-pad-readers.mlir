// RUN: nc-opt %s -p fuse-pad --validate | filecheck %s

// Every reader takes the padding, on top of its own.

func.func @main(%x: tensor<1x2x2xf32>) -> (tensor<1x6x6xf32>, tensor<1x3x3xf32>) {
  %0 = ann.pad %x low [0, 1, 1] high [0, 1, 1] : tensor<1x2x2xf32> -> tensor<1x4x4xf32>
  %1 = ann.conv2d %0 weight(dense<1.0> : tensor<1x1x1x1xf32>) padding [1, 1, 1, 1] : tensor<1x4x4xf32> -> tensor<1x6x6xf32>
  %2 = ann.sum_pool2d %0 kernel [2, 2] : tensor<1x4x4xf32> -> tensor<1x3x3xf32>
  func.return %1, %2 : tensor<1x6x6xf32>, tensor<1x3x3xf32>
}

// CHECK-NOT: ann.pad
// CHECK: ann.conv2d %x {{.*}} padding [2, 2, 2, 2]
// CHECK: ann.sum_pool2d %x kernel [2, 2] padding [1, 1, 1, 1]
