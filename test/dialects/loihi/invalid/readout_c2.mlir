// RUN: not nc-opt %s 2>&1 | filecheck %s

// It knows three ways to read.

func.func @main(%x: tensor<4x2xi24>) {
  %0 = loihi.readout %x "first" : tensor<4x2xi24> -> tensor<2xi32>
  func.return
}

// CHECK: "first" / 1 cannot be read
