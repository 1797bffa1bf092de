// RUN: not nc-opt %s 2>&1 | filecheck %s

// A product is an accumulator.

func.func @main(%x: tensor<2x2x!ann.count<0, 3>>) {
  %r = ann.matrix_product %x, %x : (tensor<2x2x!ann.count<0, 3>>, tensor<2x2x!ann.count<0, 3>>) -> tensor<2x2xf32>
  func.return
}

// CHECK: expected integers in a range, multiplied into i32
