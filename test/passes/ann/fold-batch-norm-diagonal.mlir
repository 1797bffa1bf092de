// RUN: nc-opt %s -p fold-batch-norm --validate | filecheck %s

// A diagonal takes the scale; it has no bias, so the shift stays behind it.

func.func @main(%x: tensor<2x1x1xf32>) -> tensor<2x1x1xf32> {
  %0 = ann.diagonal %x weight(dense<5.0> : tensor<2x1x1xf32>) : tensor<2x1x1xf32> -> tensor<2x1x1xf32>
  %1 = ann.batch_norm %0 scale(dense<2.0> : tensor<2xf32>) shift(dense<3.0> : tensor<2xf32>) mean(dense<0.0> : tensor<2xf32>) variance(dense<1.0> : tensor<2xf32>) epsilon 0.0 : f64 {nc.origin = "norm"} : tensor<2x1x1xf32> -> tensor<2x1x1xf32>
  func.return %1 : tensor<2x1x1xf32>
}

// CHECK:      %[[D:.*]] = ann.diagonal %x weight(dense<1.000000e+01> : tensor<2x1x1xf32>) :
// CHECK-NEXT: ann.affine %[[D]] shift(dense<3.000000e+00> : tensor<2x1x1xf32>) {nc.origin = "norm"}
