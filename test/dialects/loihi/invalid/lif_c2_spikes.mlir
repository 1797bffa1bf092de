// RUN: not nc-opt %s 2>&1 | filecheck %s

// Neurons of this model send plain spikes.

func.func @main(%x: tensor<2xi24>) {
  %0, %1 = loihi.lif %x du 4095 dv 0 vth 9 : (tensor<2xi24>) -> tensor<2xi32>, tensor<2xi24>
  func.return
}

// CHECK: expected i24 currents and membranes, and i1 spikes
