// RUN: not nc-opt %s 2>&1 | filecheck %s

// A delay has six bits.

func.func @main(%x: tensor<2xi1>) {
  %0 = loihi.dense %x weight(dense<2> : tensor<3x2xi8>) sign_mode "mixed" delay 64 : tensor<2xi1> -> tensor<3xi24>
  func.return
}

// CHECK: a weight exponent of 0 and a delay of 64 leave -8 ... 7 and 0 ... 63
