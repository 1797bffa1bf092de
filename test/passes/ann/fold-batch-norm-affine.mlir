// RUN: nc-opt %s -p fold-batch-norm --validate | filecheck %s

// With no linear operation beside it, a norm becomes a scale and a shift per channel.

func.func @main(%x: tensor<2x1x1xf32>) -> tensor<2x1x1xf32> {
  %0 = ann.batch_norm %x scale(dense<[2.0, 4.0]> : tensor<2xf32>) shift(dense<1.0> : tensor<2xf32>) mean(dense<1.0> : tensor<2xf32>) variance(dense<1.0> : tensor<2xf32>) epsilon 0.0 : f64 : tensor<2x1x1xf32> -> tensor<2x1x1xf32> loc("bn1"("model.py":4:0))
  func.return %0 : tensor<2x1x1xf32>
}

// CHECK: ann.affine %x scale(dense<{{\[\[\[}}2.000000e+00]], {{\[\[}}4.000000e+00]]]> : tensor<2x1x1xf32>) shift(dense<{{\[\[\[}}-1.000000e+00]], {{\[\[}}-3.000000e+00]]]> : tensor<2x1x1xf32>)
