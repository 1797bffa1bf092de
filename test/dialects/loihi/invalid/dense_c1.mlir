// RUN: not nc-opt %s 2>&1 | filecheck %s

// A dense synapse reads a vector.

func.func @main(%x: tensor<4x2xi1>) {
  %0 = loihi.dense %x weight(dense<2> : tensor<3x2xi8>) sign_mode "mixed" : tensor<4x2xi1> -> tensor<4x3xi24>
  func.return
}

// CHECK: expected a vector, found shape (4, 2)
