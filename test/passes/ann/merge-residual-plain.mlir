// RUN: nc-opt %s -p merge-residual --validate | filecheck %s

// A layer alone is a neuron layer with one synapse; a clamp gives it a maximum.

func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = ann.linear %x weight(dense<0.5> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.clamp %0 minimum 0.0 : f64 maximum 6.0 : f64 : tensor<2xf32> -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

// CHECK: %[[A:.*]] = ann.linear
// CHECK-NEXT: ann.neuron %[[A]] maximum 6.000000e+00 : f64 :
