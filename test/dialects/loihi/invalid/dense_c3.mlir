// RUN: not nc-opt %s 2>&1 | filecheck %s

// Weights are mixed, excitatory or inhibitory.

func.func @main(%x: tensor<2xi1>) {
  %0 = loihi.dense %x weight(dense<2> : tensor<3x2xi8>) sign_mode "both" : tensor<2xi1> -> tensor<3xi24>
  func.return
}

// CHECK: sign mode "both" is none of
