// RUN: nc-opt %s -p move-to-host | filecheck %s

// A network that spikes from end to end stays as it is; what stands behind its last layer has its segment already.

// CHECK-NOT: ann.input %{{[0-9]}}
// CHECK:     "host.segment"(%1)
// CHECK-NOT: "host.segment"
func.func @main(%p: tensor<2xf32>) -> tensor<2xf32> {
  %0 = ann.input %p : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.linear %0 weight(dense<1.0> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
  %2 = "host.segment"(%1) ({
  ^bb0(%3: tensor<2xf32>):
    %4 = ann.softmax %3 axis 0 : tensor<2xf32> -> tensor<2xf32>
    host.yield %4 : tensor<2xf32>
  }) : (tensor<2xf32>) -> tensor<2xf32>
  func.return %2 : tensor<2xf32>
}
