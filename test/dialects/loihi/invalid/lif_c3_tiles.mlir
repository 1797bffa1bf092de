// RUN: not nc-opt %s 2>&1 | filecheck %s

// No block is without a neuron.

func.func @main(%x: tensor<2xi24>) {
  %0, %1 = loihi.lif %x du 4095 dv 0 vth 9 tiles [3] chips [0, 0, 0] cores [1, 2, 3] : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
  func.return
}

// CHECK: neurons of shape (2,) are not cut into [3] tiles
