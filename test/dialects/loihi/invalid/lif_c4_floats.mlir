// RUN: not nc-opt %s 2>&1 | filecheck %s

// Constants of neurons are integers.

func.func @main(%x: tensor<2xi24>) {
  %0, %1 = loihi.lif %x du 4095 dv 0 vth 9 initial(dense<0.5> : tensor<1xf32>) : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
  func.return
}

// CHECK: its initial holds no integers
