// RUN: nc-opt %s -p fold-batch-norm --validate | filecheck %s

// The channels of a batch norm over (tokens, features) are the tokens, which no weight of a linear operation reads.

func.func @main(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %0 = ann.linear %x weight(dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>) : tensor<2x2xf32> -> tensor<2x2xf32>
  %1 = ann.batch_norm %0 scale(dense<[2.0, 3.0]> : tensor<2xf32>) shift(dense<[5.0, 7.0]> : tensor<2xf32>) mean(dense<0.0> : tensor<2xf32>) variance(dense<1.0> : tensor<2xf32>) epsilon 0.0 : f64 : tensor<2x2xf32> -> tensor<2x2xf32>
  %2 = ann.linear %1 weight(dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>) : tensor<2x2xf32> -> tensor<2x2xf32>
  func.return %2 : tensor<2x2xf32>
}

// CHECK: ann.linear %x
// CHECK: ann.affine {{.*}} scale(dense<{{\[\[}}2.000000e+00], [3.000000e+00]]> : tensor<2x1xf32>)
// CHECK: ann.linear
