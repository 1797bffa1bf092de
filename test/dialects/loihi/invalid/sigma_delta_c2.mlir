// RUN: not nc-opt %s 2>&1 | filecheck %s

// These neurons send graded spikes.

func.func @main(%x: tensor<2xi24>) {
  %0, %1 = loihi.sigma_delta %x vth 3 : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
  func.return
}

// CHECK: expected i24 currents and membranes, and i32 spikes
