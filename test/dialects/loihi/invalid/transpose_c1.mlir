// RUN: not nc-opt %s 2>&1 | filecheck %s

// A port keeps its axes.

func.func @main(%x: tensor<2x2xi1>) {
  %0 = loihi.transpose %x permutation [0, 0] : tensor<2x2xi1> -> tensor<2x2xi1>
  func.return
}

// CHECK: is no permutation
