// RUN: not nc-opt %s -p 'verify-level{level=loihi}' 2>&1 | filecheck %s

// Fewer bits, longer steps.

func.func @main(%x: tensor<2xi1>) {
  %0 = loihi.dense %x weight(dense<4> : tensor<3x2xi8>) sign_mode "excitatory" weight_bits 5 : tensor<2xi1> -> tensor<3xi24>
  func.return
}

// CHECK: 6 of its 6 weights, 4 for one, are not among excitatory 5-bit weights: 0 ... 248 in steps of 8.
