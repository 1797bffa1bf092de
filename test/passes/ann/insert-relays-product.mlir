// RUN: nc-opt %s -p insert-relays --validate | filecheck %s

// A product of two activations (a gate) is said before anything acts on it, be it a layer norm, which so reads the
// identity of a relay.

func.func @main(%arg: tensor<2xf32>) -> tensor<1xf32> {
  %x = ann.input %arg : tensor<2xf32> -> tensor<2xf32>
  %0 = ann.mul %x, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %1 = ann.layer_norm %0 normalized [2] epsilon 1.0e-05 : f64 : tensor<2xf32> -> tensor<2xf32>
  %2 = ann.linear %1 weight(dense<0.5> : tensor<1x2xf32>) : tensor<2xf32> -> tensor<1xf32>
  func.return %2 : tensor<1xf32>
}

// CHECK:      %0 = ann.mul %x, %x
// CHECK-NEXT: %1 = ann.relay %0
// CHECK-NEXT: %2 = ann.relay %1
// CHECK-NEXT: %3 = ann.layer_norm %2
