// RUN: not nc-opt %s 2>&1 | filecheck %s

// A port keeps its neurons.

func.func @main(%x: tensor<2xi1>) {
  %0 = loihi.reshape %x : tensor<2xi1> -> tensor<3xi1>
  func.return
}

// CHECK: has 2 elements
