// RUN: not nc-opt %s 2>&1 | filecheck %s

// An exponent has three bits.

func.func @main(%x: tensor<2xi24>) {
  %0, %1 = loihi.sigma_delta %x vth 3 state_exp 8 : (tensor<2xi24>) -> tensor<2xi32>, tensor<2xi24>
  func.return
}

// CHECK: state_exp = 8 leaves 0 ... 7
