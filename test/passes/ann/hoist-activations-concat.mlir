// RUN: nc-opt %s -p hoist-activations --validate | filecheck %s

// A rectified concatenation is a concatenation of rectified parts, each with the bound of the clamp.

func.func @main(%x: tensor<1xf32>, %y: tensor<2xf32>) -> tensor<3xf32> {
  %0 = ann.concat %x, %y axis 0 : (tensor<1xf32>, tensor<2xf32>) -> tensor<3xf32>
  %1 = ann.clamp %0 minimum 0.0 : f64 maximum 6.0 : f64 : tensor<3xf32> -> tensor<3xf32>
  func.return %1 : tensor<3xf32>
}

// CHECK: %[[A:.*]] = ann.clamp %x minimum 0.000000e+00 : f64 maximum 6.000000e+00 : f64 : tensor<1xf32>
// CHECK-NEXT: %[[B:.*]] = ann.clamp %y minimum 0.000000e+00 : f64 maximum 6.000000e+00 : f64 : tensor<2xf32>
// CHECK-NEXT: ann.concat %[[A]], %[[B]]
