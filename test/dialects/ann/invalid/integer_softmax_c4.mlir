// RUN: not nc-opt %s 2>&1 | filecheck %s

// The table is a vector.

func.func @main(%x: tensor<2xi32>) {
  %r = ann.integer_softmax %x divisor(dense<1> : tensor<1xi32>) table(dense<1> : tensor<1x2xi32>) levels 3 : (tensor<2xi32>) -> tensor<2x!ann.count<0, 3>>
  func.return
}

// CHECK: expected a table with at least one entry
