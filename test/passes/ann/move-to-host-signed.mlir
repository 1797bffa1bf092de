// RUN: nc-opt %s -p 'insert-relays,merge-residual,move-to-host' | filecheck %s

// Where spikes carry no numbers, signed layers run on the host, sum and bias included.

builtin.module attributes {nc.constraints = {codes = ["unary"]}} {
  // CHECK:      "host.segment"
  // CHECK-NEXT: ^bb0
  // CHECK-NEXT:   ann.relay %{{.*}} bias(dense<[3.000000e+00, 4.000000e+00]> : tensor<2xf32>)
  // CHECK-NEXT:   ann.gelu
  // CHECK-NEXT:   host.yield
  // CHECK:      %[[I:.*]] = ann.input
  // CHECK-NEXT: ann.linear %[[I]]
  func.func @main(%p: tensor<2xf32>) -> tensor<2xf32> {
    %x = ann.input %p : tensor<2xf32> -> tensor<2xf32>
    %0 = ann.linear %x weight(dense<1.0> : tensor<2x2xf32>) bias(dense<[3.0, 4.0]> : tensor<2xf32>) : tensor<2xf32> -> tensor<2xf32>
    %1 = ann.gelu %0 : tensor<2xf32> -> tensor<2xf32>
    %2 = ann.linear %1 weight(dense<1.0> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
    func.return %2 : tensor<2xf32>
  }
}
