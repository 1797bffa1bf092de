// RUN: not nc-opt %s 2>&1 | filecheck %s

// Every block has a core.

func.func @main(%x: tensor<2xi24>) {
  %0, %1 = loihi.lif %x du 4095 dv 0 vth 9 tiles [2] chips [0, 0, 0] cores [1, 2, 3] : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
  func.return
}

// CHECK: chips [0, 0, 0] and cores [1, 2, 3] are not one place for each of 2 blocks
