// RUN: nc-opt %s -p insert-relays,insert-relays,merge-residual,insert-relays --validate | filecheck %s

// Where relays are, none is added.

func.func @main(%arg: tensor<2xf32>) -> tensor<1xf32> {
  %x = ann.input %arg : tensor<2xf32> -> tensor<2xf32>
  %0 = ann.linear %x weight(dense<0.5> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.silu %0 : tensor<2xf32> -> tensor<2xf32>
  %2 = ann.mul %0, %1 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %3 = ann.linear %2 weight(dense<0.5> : tensor<1x2xf32>) : tensor<2xf32> -> tensor<1xf32>
  func.return %3 : tensor<1xf32>
}

// CHECK:      %1 = ann.relay %0
// CHECK:      %3 = ann.relay %2
// CHECK-NEXT: %4 = ann.silu %3
// CHECK-NEXT: %5 = ann.mul %1, %4
// CHECK-NEXT: %6 = ann.relay %5
// CHECK-NOT:  ann.relay
