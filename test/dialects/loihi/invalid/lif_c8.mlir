// RUN: not nc-opt %s 2>&1 | filecheck %s

// An interval is positive.

func.func @main(%x: tensor<2xi24>) {
  %0, %1 = loihi.lif %x du 4095 dv 0 vth 9 reset_interval 0 : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
  func.return
}

// CHECK: reset_interval = 0 leaves 1
