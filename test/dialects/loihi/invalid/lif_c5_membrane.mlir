// RUN: not nc-opt %s 2>&1 | filecheck %s

// The decay of a membrane has 12 bits; it knows no -1.

func.func @main(%x: tensor<2xi24>) {
  %0, %1 = loihi.lif %x du 4095 dv -1 vth 9 : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
  func.return
}

// CHECK: dv = -1 leaves 0 ... 4095
