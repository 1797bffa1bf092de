// RUN: not nc-opt %s -p 'verify-level{level=loihi}' 2>&1 | filecheck %s

// A pair of neurons has one weight.

func.func @main(%x: tensor<2xi1>) {
  %0 = loihi.sparse %x weight(dense<2> : tensor<2xi8>) sources(dense<[1, 1]> : tensor<2xi32>) targets(dense<[2, 2]> : tensor<2xi32>) sign_mode "mixed" : tensor<2xi1> -> tensor<3xi24>
  func.return
}

// CHECK: or one stands twice. Sort them, and add up the weights of one pair.
