// RUN: not nc-opt %s 2>&1 | filecheck %s

// Currents that meet have one shape.

func.func @main(%x: tensor<2xi24>, %z: tensor<3xi24>) {
  %0, %1 = loihi.lif %x, %z du 4095 dv 0 vth 9 : (tensor<2xi24>, tensor<3xi24>) -> tensor<2xi1>, tensor<2xi24>
  func.return
}

// CHECK: currents of shapes (2,) and (3,) meet
