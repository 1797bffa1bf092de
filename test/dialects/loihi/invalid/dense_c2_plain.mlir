// RUN: not nc-opt %s 2>&1 | filecheck %s

// A plain spike carries no message.

func.func @main(%x: tensor<2xi1>) {
  %0 = loihi.dense %x weight(dense<2> : tensor<3x2xi8>) sign_mode "mixed" message_bits 8 : tensor<2xi1> -> tensor<3xi24>
  func.return
}

// CHECK: found i1 with 8 message bits
