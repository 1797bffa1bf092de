// RUN: not nc-opt %s 2>&1 | filecheck %s

// Every weight has its source and its target.

func.func @main(%x: tensor<2xi1>) {
  %0 = loihi.sparse %x weight(dense<2> : tensor<3xi8>) sources(dense<[0, 1]> : tensor<2xi32>) targets(dense<[0, 1]> : tensor<2xi32>) sign_mode "mixed" : tensor<2xi1> -> tensor<3xi24>
  func.return
}

// CHECK: expected as many weights as sources and targets, found [(3,), (2,), (2,)]
