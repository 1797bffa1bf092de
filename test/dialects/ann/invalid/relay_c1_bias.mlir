// RUN: not nc-opt %s 2>&1 | filecheck %s

// The bias broadcasts onto the layer.

func.func @main(%x: tensor<2xf32>) {
  %r = ann.relay %x bias(dense<1.0> : tensor<3xf32>) : (tensor<2xf32>) -> tensor<2xf32>
  func.return
}

// CHECK: a constant of shape (3,) does not broadcast onto (2,)
