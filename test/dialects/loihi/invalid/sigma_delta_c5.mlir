// RUN: not nc-opt %s 2>&1 | filecheck %s

// The threshold is not negative.

func.func @main(%x: tensor<2xi24>) {
  %0, %1 = loihi.sigma_delta %x vth -1 : (tensor<2xi24>) -> tensor<2xi32>, tensor<2xi24>
  func.return
}

// CHECK: vth = -1 leaves 0 ... 8388607
