// RUN: not nc-opt %s 2>&1 | filecheck %s

// Cores differ.

func.func @main(%x: tensor<2xi24>) {
  %0, %1 = loihi.lif %x du 4095 dv 0 vth 9 chip 0 cores [1, 1] : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
  func.return
}

// CHECK: 2 neurons do not share the cores [1, 1] of chip 0
