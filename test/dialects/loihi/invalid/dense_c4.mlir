// RUN: not nc-opt %s -p 'verify-level{level=loihi}' 2>&1 | filecheck %s

// Weights of mixed sign spend their lowest bit on it: they are even.

func.func @main(%x: tensor<2xi1>) {
  %0 = loihi.dense %x weight(dense<[[2, -4], [6, 3], [0, 8]]> : tensor<3x2xi8>) sign_mode "mixed" : tensor<2xi1> -> tensor<3xi24>
  func.return
}

// CHECK: `loihi.dense` ({{.*}}): 1 of its 6 weights, 3 for one, are not among mixed 8-bit weights: -256 ... 254 in steps of 2. Quantise for this target.
