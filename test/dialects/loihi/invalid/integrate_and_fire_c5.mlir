// RUN: not nc-opt %s 2>&1 | filecheck %s

// The firing window is not empty.

func.func @main(%x: tensor<2xi24>) {
  %0, %1 = loihi.integrate_and_fire %x threshold(dense<1> : tensor<1xi32>) fire [3, 3] : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
  func.return
}

// CHECK: the firing window [3, 3] is empty
