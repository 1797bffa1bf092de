// RUN: not nc-opt %s 2>&1 | filecheck %s

// A row is reversed back.

func.func @main(%x: tensor<4x2x3xi24>) {
  %0 = loihi.readout %x "last" : tensor<4x2x3xi24> -> tensor<2x3xi32>
  func.return
}

// CHECK: expected a result of shape (3, 2)
