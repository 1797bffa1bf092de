// RUN: nc-opt %s -p merge-residual --validate | filecheck %s

// The relay of an activation function gathers its charge; the function stays behind it.

func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  %0 = ann.linear %x weight(dense<2.0> : tensor<1x1xf32>) bias(dense<3.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
  %1 = ann.affine %0 scale(dense<2.0> : tensor<1xf32>) shift(dense<1.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
  %2 = ann.relay %1 : (tensor<1xf32>) -> tensor<1xf32>
  %3 = ann.silu %2 : tensor<1xf32> -> tensor<1xf32>
  func.return %3 : tensor<1xf32>
}

// CHECK:      %0 = ann.linear %x weight(dense<4.000000e+00> : tensor<1x1xf32>) :
// CHECK-NEXT: %1 = ann.relay %0 bias(dense<7.000000e+00> : tensor<1xf32>)
// CHECK-NEXT: %2 = ann.silu %1
