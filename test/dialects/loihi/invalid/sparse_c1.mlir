// RUN: not nc-opt %s 2>&1 | filecheck %s

// A sparse synapse joins vectors.

func.func @main(%x: tensor<1x2xi1>) {
  %0 = loihi.sparse %x weight(dense<2> : tensor<2xi8>) sources(dense<[0, 1]> : tensor<2xi32>) targets(dense<[0, 1]> : tensor<2xi32>) sign_mode "mixed" : tensor<1x2xi1> -> tensor<3xi24>
  func.return
}

// CHECK: expected vectors, found (1, 2) and (3,)
