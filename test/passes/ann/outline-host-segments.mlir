// RUN: nc-opt %s -p outline-host-segments --validate | filecheck %s

// A softmax behind the classifier runs on the host.

func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = ann.linear %x weight(dense<1.0> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.softmax %0 axis 0 : tensor<2xf32> -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

// CHECK:      %[[LOGITS:.*]] = ann.linear
// CHECK-NEXT: %[[OUT:.*]] = "host.segment"(%[[LOGITS]]) ({
// CHECK:        ann.softmax
// CHECK-NEXT:   host.yield
// CHECK-NEXT: })
// CHECK-NEXT: func.return %[[OUT]]
