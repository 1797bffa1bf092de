// RUN: not nc-opt %s 2>&1 | filecheck %s

// Weights have at most eight bits.

func.func @main(%x: tensor<2xi1>) {
  %0 = loihi.dense %x weight(dense<2> : tensor<3x2xi8>) sign_mode "mixed" weight_bits 9 : tensor<2xi1> -> tensor<3xi24>
  func.return
}

// CHECK: weights are integers of 1 to 8 bits, not i8 of 9
