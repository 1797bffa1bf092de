// RUN: not nc-opt %s 2>&1 | filecheck %s

// The range holds every operand's.

func.func @main(%x: tensor<2x!ann.count<0, 3>>, %y: tensor<2x!ann.count<0, 7>>) -> tensor<4x!ann.count<0, 3>> {
  %r = ann.concat %x, %y axis 0 : (tensor<2x!ann.count<0, 3>>, tensor<2x!ann.count<0, 7>>) -> tensor<4x!ann.count<0, 3>>
  func.return %r : tensor<4x!ann.count<0, 3>>
}

// CHECK: expected elements !ann.count<0, 7>, found !ann.count<0, 3>
