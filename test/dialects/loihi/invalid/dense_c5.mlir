// RUN: not nc-opt %s 2>&1 | filecheck %s

// A weight exponent has four bits.

func.func @main(%x: tensor<2xi1>) {
  %0 = loihi.dense %x weight(dense<2> : tensor<3x2xi8>) sign_mode "mixed" weight_exp 8 : tensor<2xi1> -> tensor<3xi24>
  func.return
}

// CHECK: a weight exponent of 8 and a delay of 0 leave -8 ... 7 and 0 ... 63
