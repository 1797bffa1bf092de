// RUN: not nc-opt %s 2>&1 | filecheck %s

// The decay of a current has 12 bits.

func.func @main(%x: tensor<2xi24>) {
  %0, %1 = loihi.lif %x du 4096 dv 0 vth 9 : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
  func.return
}

// CHECK: du = 4096 leaves -1 ... 4095
