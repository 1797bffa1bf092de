// RUN: not nc-opt %s 2>&1 | filecheck %s

// An average of floats is a float.

func.func @main(%x: tensor<1x2x2xf32>) {
  %0 = ann.average_pool2d %x kernel [2, 2] : tensor<1x2x2xf32> -> tensor<1x1x1xi32>
  func.return
}

// CHECK: 'ann.average_pool2d' the element type changes from tensor<1x2x2xf32> to tensor<1x1x1xi32>
