// RUN: nc-opt %s -p outline-host-segments --validate | filecheck %s

// A softmax in front of a synapse stays, for the level to refuse; so does a network without anything behind it.

func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = ann.softmax %x axis 0 : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.linear %0 weight(dense<1.0> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

// CHECK-NOT: host.segment
// CHECK: ann.softmax
// CHECK-NEXT: ann.linear
