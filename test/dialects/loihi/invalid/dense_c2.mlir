// RUN: not nc-opt %s 2>&1 | filecheck %s

// A synapse brings a current of 24 bits.

func.func @main(%x: tensor<2xi1>) {
  %0 = loihi.dense %x weight(dense<2> : tensor<3x2xi8>) sign_mode "mixed" : tensor<2xi1> -> tensor<3xi32>
  func.return
}

// CHECK: expected a current of i24, found i32
