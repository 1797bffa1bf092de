// RUN: not nc-opt %s 2>&1 | filecheck %s

// An average of floats is a float.

func.func @main(%x: tensor<1x3x3xf32>) {
  %0 = ann.adaptive_average_pool2d %x output [2, 2] : tensor<1x3x3xf32> -> tensor<1x2x2xi32>
  func.return
}

// CHECK: 'ann.adaptive_average_pool2d' the element type changes
