// RUN: not nc-opt %s 2>&1 | filecheck %s

// Charges of one row are compared in one unit.

func.func @main(%x: tensor<2xi32>) {
  %r = ann.integer_softmax %x divisor(dense<[1, 2]> : tensor<2xi32>) table(dense<1> : tensor<2xi32>) levels 3 : (tensor<2xi32>) -> tensor<2x!ann.count<0, 3>>
  func.return
}

// CHECK: the divisor varies along a row
