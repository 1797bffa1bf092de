// RUN: not nc-opt %s 2>&1 | filecheck %s

// An activation is one of two.

func.func @main(%x: tensor<2xi24>) {
  %0, %1 = loihi.sigma_delta %x vth 3 activation "tanh" : (tensor<2xi24>) -> tensor<2xi32>, tensor<2xi24>
  func.return
}

// CHECK: activation "tanh" is neither "relu" nor "unit"
