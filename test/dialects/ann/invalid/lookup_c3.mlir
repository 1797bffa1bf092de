// RUN: not nc-opt %s 2>&1 | filecheck %s

// There is at least one index.

func.func @main(%x: tensor<2xi32>) {
  %r = ann.lookup %x threshold(dense<1> : tensor<1xi32>) clip 3 to 2 : (tensor<2xi32>) -> tensor<2x!ann.count<2, 3>>
  func.return
}

// CHECK: the range 3 ... 2 is empty
