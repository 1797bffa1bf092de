// RUN: not nc-opt %s -p 'verify-level{level=loihi}' 2>&1 | filecheck %s

// An inhibitory synapse has no positive weight.

func.func @main(%x: tensor<2xi1>) {
  %0 = loihi.dense %x weight(dense<1> : tensor<3x2xi8>) sign_mode "inhibitory" : tensor<2xi1> -> tensor<3xi24>
  func.return
}

// CHECK: 1 for one, are not among inhibitory 8-bit weights: -255 ... 0.
