// RUN: not nc-opt %s 2>&1 | filecheck %s

// What a segment yields is what it returns.

func.func @main(%x: tensor<2xf32>) {
  %0 = "host.segment"(%x) ({
  ^bb0(%y: tensor<2xf32>):
    host.yield %y : tensor<2xf32>
  }) : (tensor<2xf32>) -> tensor<3xf32>
  func.return
}

// CHECK: error: 'host.segment' the body does not end in a `host.yield` of the results' types
