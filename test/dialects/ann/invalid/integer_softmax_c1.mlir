// RUN: not nc-opt %s 2>&1 | filecheck %s

// The divisor broadcasts onto the layer.

func.func @main(%x: tensor<2x3xi32>) {
  %r = ann.integer_softmax %x divisor(dense<1> : tensor<3x1xi32>) table(dense<1> : tensor<2xi32>) levels 3 : (tensor<2x3xi32>) -> tensor<2x3x!ann.count<0, 3>>
  func.return
}

// CHECK: a constant of shape (3, 1) does not broadcast onto (2, 3)
