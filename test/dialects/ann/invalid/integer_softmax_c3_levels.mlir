// RUN: not nc-opt %s 2>&1 | filecheck %s

// There is something to share.

func.func @main(%x: tensor<2xi32>) {
  %r = ann.integer_softmax %x divisor(dense<1> : tensor<1xi32>) table(dense<1> : tensor<2xi32>) levels 0 : (tensor<2xi32>) -> tensor<2x!ann.count<0, 0>>
  func.return
}

// CHECK: expected a result in 0 ... 0, with positive levels
