// RUN: nc-opt %s -p hoist-activations --validate | filecheck %s

// Every part of a concatenation gets an activation of its own, with its bound.

func.func @main(%x: tensor<2xf32>, %y: tensor<1xf32>) -> tensor<3xf32> {
  %0 = ann.concat %x, %y axis 0 : (tensor<2xf32>, tensor<1xf32>) -> tensor<3xf32>
  %1 = ann.clamp %0 minimum 0.0 : f64 maximum 6.0 : f64 : tensor<3xf32> -> tensor<3xf32>
  func.return %1 : tensor<3xf32>
}

// CHECK:      %[[A:.*]] = ann.clamp %x minimum {{.*}} maximum 6.000000e+00
// CHECK-NEXT: %[[B:.*]] = ann.clamp %y minimum {{.*}} maximum 6.000000e+00
// CHECK-NEXT: ann.concat %[[A]], %[[B]]
