// RUN: not nc-opt %s 2>&1 | filecheck %s

// The table has one entry for every index.

func.func @main(%x: tensor<2xi32>) {
  %r = ann.lookup %x threshold(dense<1> : tensor<1xi32>) clip -1 to 3 table(dense<[1, 2, 3]> : tensor<3xi32>) : (tensor<2xi32>) -> tensor<2x!ann.count<0, 3>>
  func.return
}

// CHECK: expected 5 entries in the table
