// RUN: not nc-opt %s 2>&1 | filecheck %s

// The weight broadcasts onto the input, not the other way.

func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  %r = ann.diagonal %x weight(dense<1.0> : tensor<2xf32>) : tensor<1xf32> -> tensor<1xf32>
  func.return %r : tensor<1xf32>
}

// CHECK: a weight of shape (2,) does not broadcast onto (1,)
