// RUN: nc-opt %s -p fuse-pad --validate | filecheck %s

// A padded zero never beats a rectified element, but it may beat a negative one.

func.func @main(%x: tensor<1x2x2xf32>) -> (tensor<1x3x3xf32>, tensor<1x3x3xf32>) {
  %0 = ann.relu %x : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %1 = ann.pad %0 low [0, 1, 1] high [0, 1, 1] : tensor<1x2x2xf32> -> tensor<1x4x4xf32>
  %2 = ann.max_pool2d %1 kernel [2, 2] : tensor<1x4x4xf32> -> tensor<1x3x3xf32>
  %3 = ann.pad %x low [0, 1, 1] high [0, 1, 1] : tensor<1x2x2xf32> -> tensor<1x4x4xf32>
  %4 = ann.max_pool2d %3 kernel [2, 2] : tensor<1x4x4xf32> -> tensor<1x3x3xf32>
  func.return %2, %4 : tensor<1x3x3xf32>, tensor<1x3x3xf32>
}

// CHECK: %[[R:.*]] = ann.relu
// CHECK: ann.max_pool2d %[[R]] kernel [2, 2] padding [1, 1, 1, 1]
// CHECK: %[[P:.*]] = ann.pad %x
// CHECK: ann.max_pool2d %[[P]] kernel [2, 2] :
