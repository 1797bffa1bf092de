// RUN: not nc-opt %s 2>&1 | filecheck %s

// Without a table a neuron says its index.

func.func @main(%x: tensor<2xi32>) {
  %r = ann.lookup %x threshold(dense<1> : tensor<1xi32>) clip -3 to 3 : (tensor<2xi32>) -> tensor<2x!ann.count<0, 3>>
  func.return
}

// CHECK: expected a result in -3 ... 3, found (0, 3)
