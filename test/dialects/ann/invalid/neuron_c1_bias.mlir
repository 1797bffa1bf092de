// RUN: not nc-opt %s 2>&1 | filecheck %s

// Constants broadcast onto the currents.

func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %r = ann.neuron %x bias(dense<1.0> : tensor<3xf32>) : (tensor<2xf32>) -> tensor<2xf32>
  func.return %r : tensor<2xf32>
}

// CHECK: a constant of shape (3,) does not broadcast onto (2,)
