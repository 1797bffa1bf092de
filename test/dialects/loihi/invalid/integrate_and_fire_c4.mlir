// RUN: not nc-opt %s -p 'verify-level{level=loihi}' 2>&1 | filecheck %s

// A threshold is positive.

func.func @main(%x: tensor<2xi24>) {
  %0, %1 = loihi.integrate_and_fire %x threshold(dense<[1, 0]> : tensor<2xi32>) : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
  func.return
}

// CHECK: its threshold leaves 1 ... 8388607: 0.
