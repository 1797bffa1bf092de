// RUN: not nc-opt %s 2>&1 | filecheck %s

// Floats and counts do not mix.

func.func @main(%x: tensor<2x!ann.count<0, 3>>, %y: tensor<2xf32>) -> tensor<4xf32> {
  %r = ann.concat %x, %y axis 0 : (tensor<2x!ann.count<0, 3>>, tensor<2xf32>) -> tensor<4xf32>
  func.return %r : tensor<4xf32>
}

// CHECK: tensors of different element types cannot be joined
