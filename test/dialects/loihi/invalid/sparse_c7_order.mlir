// RUN: not nc-opt %s -p 'verify-level{level=loihi}' 2>&1 | filecheck %s

// Connections stand in the order of their targets.

func.func @main(%x: tensor<2xi1>) {
  %0 = loihi.sparse %x weight(dense<2> : tensor<2xi8>) sources(dense<[0, 1]> : tensor<2xi32>) targets(dense<[1, 0]> : tensor<2xi32>) sign_mode "mixed" : tensor<2xi1> -> tensor<3xi24>
  func.return
}

// CHECK: its connections are not in the order of targets, then sources, or one stands twice. Sort them
