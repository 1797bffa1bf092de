// RUN: not nc-opt %s 2>&1 | filecheck %s

// Thresholds broadcast onto the layer.

func.func @main(%x: tensor<2xi32>) {
  %r = ann.lookup %x threshold(dense<1> : tensor<3xi32>) clip 0 to 3 : (tensor<2xi32>) -> tensor<2x!ann.count<0, 3>>
  func.return
}

// CHECK: a constant of shape (3,) does not broadcast onto (2,)
