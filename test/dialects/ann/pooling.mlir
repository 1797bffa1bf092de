// RUN: nc-opt %s | nc-opt | filecheck %s

// Pooling prints and parses; a sum of counts has a range of its own, zero of the padding included.

func.func @main(%x: tensor<1x4x4xf32>, %n: tensor<1x2x2x!ann.count<1, 3>>) {
  // CHECK:      ann.max_pool2d %x kernel [2, 2] : tensor<1x4x4xf32> -> tensor<1x3x3xf32>
  %0 = ann.max_pool2d %x kernel [2, 2] : tensor<1x4x4xf32> -> tensor<1x3x3xf32>
  // CHECK-NEXT: ann.max_pool2d %x kernel [2, 2] stride [2, 2] padding [1, 1, 0, 0] dilation [2, 1] : tensor<1x4x4xf32> -> tensor<1x2x2xf32>
  %1 = ann.max_pool2d %x kernel [2, 2] stride [2, 2] padding [1, 1, 0, 0] dilation [2, 1] : tensor<1x4x4xf32> -> tensor<1x2x2xf32>
  // CHECK-NEXT: ann.sum_pool2d %x kernel [4, 4] : tensor<1x4x4xf32> -> tensor<1x1x1xf32>
  %2 = ann.sum_pool2d %x kernel [4, 4] : tensor<1x4x4xf32> -> tensor<1x1x1xf32>
  // CHECK-NEXT: ann.sum_pool2d %n kernel [2, 2] : tensor<1x2x2x!ann.count<1, 3>> -> tensor<1x1x1x!ann.count<0, 12>>
  %3 = ann.sum_pool2d %n kernel [2, 2] : tensor<1x2x2x!ann.count<1, 3>> -> tensor<1x1x1x!ann.count<0, 12>>
  // CHECK-NEXT: ann.average_pool2d %x kernel [2, 2] stride [2, 2] : tensor<1x4x4xf32> -> tensor<1x2x2xf32>
  %4 = ann.average_pool2d %x kernel [2, 2] stride [2, 2] : tensor<1x4x4xf32> -> tensor<1x2x2xf32>
  // CHECK-NEXT: ann.average_pool2d %x kernel [2, 2] padding [1, 0, 1, 0] count_include_pad false : tensor<1x4x4xf32> -> tensor<1x4x4xf32>
  %5 = ann.average_pool2d %x kernel [2, 2] padding [1, 0, 1, 0] count_include_pad false : tensor<1x4x4xf32> -> tensor<1x4x4xf32>
  // CHECK-NEXT: ann.adaptive_average_pool2d %x output [3, 3] : tensor<1x4x4xf32> -> tensor<1x3x3xf32>
  %6 = ann.adaptive_average_pool2d %x output [3, 3] : tensor<1x4x4xf32> -> tensor<1x3x3xf32>
  func.return
}
