// RUN: not nc-opt %s 2>&1 | filecheck %s

// A place is made of tiles, chips and cores.

func.func @main(%x: tensor<2xi24>) {
  %0, %1 = loihi.lif %x du 4095 dv 0 vth 9 cores [1] : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
  func.return
}

// CHECK: a place is made of tiles, chips and cores
