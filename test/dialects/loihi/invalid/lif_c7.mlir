// RUN: not nc-opt %s 2>&1 | filecheck %s

// The exponent of a bias has three bits.

func.func @main(%x: tensor<2xi24>) {
  %0, %1 = loihi.lif %x du 4095 dv 0 vth 9 bias_exp 8 : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
  func.return
}

// CHECK: bias_exp = 8 leaves 0 ... 7
