// RUN: nc-opt %s -p 'remove-identities,insert-relays,merge-residual,move-to-host' --validate | filecheck %s

// What is refused between layers becomes a segment; its result enters the next part as an input. What passes by it
// (the shortcut) goes through it unchanged. A relay that only the host reads goes along.

// CHECK:      %[[X:.*]] = ann.input %p
// CHECK-NEXT: %[[C:.*]] = ann.linear %[[X]]
// CHECK-NEXT: %[[S:.*]], %[[PAST:.*]] = "host.segment"(%[[C]], %[[X]]) ({
// CHECK-NEXT: ^bb0(%[[A:.*]]: tensor<2xf32>, %[[B:.*]]: tensor<2xf32>):
// CHECK-NEXT:   %[[R:.*]] = ann.relay %[[A]]
// CHECK-NEXT:   %[[L:.*]] = ann.log_softmax %[[R]] axis 0
// CHECK-NEXT:   host.yield %[[L]], %[[B]]
// CHECK:      %[[I:.*]] = ann.input %[[S]]
// CHECK-NEXT: %[[J:.*]] = ann.input %[[PAST]]
// CHECK-NEXT: %[[D:.*]] = ann.linear %[[I]]
// CHECK-NEXT: %[[E:.*]] = ann.diagonal %[[J]]
// CHECK-NEXT: ann.neuron %[[D]], %[[E]]
func.func @main(%p: tensor<2xf32>) -> tensor<2xf32> {
  %x = ann.input %p : tensor<2xf32> -> tensor<2xf32>
  %0 = ann.linear %x weight(dense<1.0> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.log_softmax %0 axis 0 : tensor<2xf32> -> tensor<2xf32>
  %2 = ann.linear %1 weight(dense<1.0> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
  %3 = ann.add %2, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %4 = ann.relu %3 : tensor<2xf32> -> tensor<2xf32>
  %5 = ann.linear %4 weight(dense<1.0> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
  func.return %5 : tensor<2xf32>
}
