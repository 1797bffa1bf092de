// RUN: not nc-opt %s 2>&1 | filecheck %s

// Weights are integers.

func.func @main(%x: tensor<2xi1>) {
  %0 = loihi.dense %x weight(dense<2.0> : tensor<3x2xf32>) sign_mode "mixed" : tensor<2xi1> -> tensor<3xi24>
  func.return
}

// CHECK: weights are integers of 1 to 8 bits, not f32
