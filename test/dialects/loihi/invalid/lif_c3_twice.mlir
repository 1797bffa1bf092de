// RUN: not nc-opt %s 2>&1 | filecheck %s

// Cores differ.

func.func @main(%x: tensor<2xi24>) {
  %0, %1 = loihi.lif %x du 4095 dv 0 vth 9 tiles [2] chips [0, 0] cores [1, 1] : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
  func.return
}

// CHECK: chips [0, 0] and cores [1, 1] are not one place for each of 2 blocks
