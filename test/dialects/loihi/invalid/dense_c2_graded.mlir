// RUN: not nc-opt %s 2>&1 | filecheck %s

// A graded spike says how wide its message is.

func.func @main(%x: tensor<2xi32>) {
  %0 = loihi.dense %x weight(dense<2> : tensor<3x2xi8>) sign_mode "mixed" : tensor<2xi32> -> tensor<3xi24>
  func.return
}

// CHECK: found i32 with no message bits
