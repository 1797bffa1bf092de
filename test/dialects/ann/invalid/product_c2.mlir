// RUN: not nc-opt %s 2>&1 | filecheck %s

// Counts are multiplied, not accumulators.

func.func @main(%x: tensor<2xi32>, %y: tensor<2x!ann.count<0, 3>>) {
  %r = ann.product %x, %y : (tensor<2xi32>, tensor<2x!ann.count<0, 3>>) -> tensor<2xi32>
  func.return
}

// CHECK: expected integers in a range, multiplied into i32
