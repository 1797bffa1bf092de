// RUN: not nc-opt %s 2>&1 | filecheck %s

// Neurons say integers in a range.

func.func @main(%x: tensor<2xi32>) {
  %r = ann.integer_layer_norm %x gain(dense<1> : tensor<1xi32>) shift(dense<1> : tensor<1xi32>) epsilon 1 : i64 : (tensor<2xi32>) -> tensor<2xi32>
  func.return
}

// CHECK: expected integers in a range, found i32
