// RUN: nc-opt %s -p 'verify-level{level=ann-convertible structure-only=true}' --validate | filecheck %s

// What runs on the host is not looked at.

func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  %0 = "host.segment"(%x) ({
  ^bb0(%y: tensor<1xf32>):
    %1 = ann.softmax %y axis 0 : tensor<1xf32> -> tensor<1xf32>
    host.yield %1 : tensor<1xf32>
  }) : (tensor<1xf32>) -> tensor<1xf32>
  func.return %0 : tensor<1xf32>
}

// CHECK: ann.softmax
