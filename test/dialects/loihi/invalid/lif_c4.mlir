// RUN: not nc-opt %s -p 'verify-level{level=loihi}' 2>&1 | filecheck %s

// The mantissa of a bias has 13 bits.

func.func @main(%x: tensor<2xi24>) {
  %0, %1 = loihi.lif %x du 4095 dv 0 vth 9 bias_mant(dense<[4095, 4096]> : tensor<2xi16>) : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
  func.return
}

// CHECK: its bias_mant leaves -4096 ... 4095: 4096. Use fewer time steps
