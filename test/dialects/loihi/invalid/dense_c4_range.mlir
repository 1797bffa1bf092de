// RUN: not nc-opt %s -p 'verify-level{level=loihi}' 2>&1 | filecheck %s

// No weight exceeds its eight bits.

func.func @main(%x: tensor<2xi1>) {
  %0 = loihi.dense %x weight(dense<256> : tensor<3x2xi16>) sign_mode "mixed" : tensor<2xi1> -> tensor<3xi24>
  func.return
}

// CHECK: 256 for one, are not among mixed 8-bit weights: -256 ... 254 in steps of 2.
