// RUN: not nc-opt %s 2>&1 | filecheck %s

// Tensors agree outside the axis.

func.func @main(%x: tensor<2x3xf32>, %y: tensor<2x4xf32>) -> tensor<4x3xf32> {
  %r = ann.concat %x, %y axis 0 : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<4x3xf32>
  func.return %r : tensor<4x3xf32>
}

// CHECK: (2, 4) and (2, 3) differ outside axis 0
