// RUN: nc-opt %s -p 'verify-level{level="ann-convertible" structure-only=true}' | filecheck %s

// What runs on the host may be anything.

func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  %0 = ann.linear %x weight(dense<1.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
  %1 = "host.segment"(%0) ({
  ^bb0(%2: tensor<1xf32>):
    %3 = ann.softmax %2 axis 0 : tensor<1xf32> -> tensor<1xf32>
    host.yield %3 : tensor<1xf32>
  }) : (tensor<1xf32>) -> tensor<1xf32>
  func.return %1 : tensor<1xf32>
}

// CHECK: ann.softmax
