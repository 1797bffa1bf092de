// RUN: not nc-opt %s 2>&1 | filecheck %s

// The membrane has the shape of the group.

func.func @main(%x: tensor<2xi24>) {
  %0, %1 = loihi.lif %x du 4095 dv 0 vth 9 : (tensor<2xi24>) -> tensor<2xi1>, tensor<3xi24>
  func.return
}

// CHECK: spikes and membrane have tensor<2xi1> and tensor<3xi24>
