// RUN: not nc-opt %s 2>&1 | filecheck %s

// A threshold has 17 bits.

func.func @main(%x: tensor<2xi24>) {
  %0, %1 = loihi.lif %x du 4095 dv 0 vth 131072 : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
  func.return
}

// CHECK: vth = 131072 leaves 0 ... 131071
