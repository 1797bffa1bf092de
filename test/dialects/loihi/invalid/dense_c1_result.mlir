// RUN: not nc-opt %s 2>&1 | filecheck %s

// The result has a neuron for every row of the weight.

func.func @main(%x: tensor<2xi1>) {
  %0 = loihi.dense %x weight(dense<2> : tensor<3x2xi8>) sign_mode "mixed" : tensor<2xi1> -> tensor<2xi24>
  func.return
}

// CHECK: expected a result of shape (3,), found (2,)
