// RUN: not nc-opt %s 2>&1 | filecheck %s

// A row is left.

func.func @main(%x: tensor<4x2xi24>) {
  %0 = loihi.readout %x "sum" skip 4 : tensor<4x2xi24> -> tensor<2xi32>
  func.return
}

// CHECK: 0 of 4 rows are left
