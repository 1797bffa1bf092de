// RUN: nc-opt %s -p insert-relays --validate | filecheck %s
// RUN: nc-opt %s -p insert-relays,insert-relays | filecheck %s

// A layer norm of long rows reads rounded counts instead of long sums, whose squares would leave 64 bits.

// CHECK:      %[[S:.*]] = ann.linear
// CHECK-NEXT: %[[C:.*]] = ann.relay %[[S]]
// CHECK-NEXT: %[[R:.*]] = ann.relay %[[C]]
// CHECK-NEXT: ann.layer_norm %[[R]]
// CHECK-NOT:  ann.relay
func.func @main(%x: tensor<2x512xf32>) -> tensor<2x4xf32> {
  %i = ann.input %x : tensor<2x512xf32> -> tensor<2x512xf32>
  %0 = ann.linear %i weight(dense<0.5> : tensor<512x512xf32>) : tensor<2x512xf32> -> tensor<2x512xf32>
  %1 = ann.layer_norm %0 normalized [512] epsilon 1.0 : f64 : tensor<2x512xf32> -> tensor<2x512xf32>
  %2 = ann.linear %1 weight(dense<0.5> : tensor<4x512xf32>) : tensor<2x512xf32> -> tensor<2x4xf32>
  func.return %2 : tensor<2x4xf32>
}
