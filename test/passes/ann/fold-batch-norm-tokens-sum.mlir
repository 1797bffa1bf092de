// RUN: nc-opt %s -p fold-batch-norm --validate | filecheck %s

// A batch norm whose channels are tokens is not shared between the branches of a sum.

func.func @main(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %0 = ann.linear %x weight(dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>) : tensor<2x2xf32> -> tensor<2x2xf32>
  %1 = ann.add %0, %x : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %2 = ann.batch_norm %1 scale(dense<[2.0, 3.0]> : tensor<2xf32>) shift(dense<[5.0, 7.0]> : tensor<2xf32>) mean(dense<0.0> : tensor<2xf32>) variance(dense<1.0> : tensor<2xf32>) epsilon 0.0 : f64 : tensor<2x2xf32> -> tensor<2x2xf32>
  func.return %2 : tensor<2x2xf32>
}

// CHECK: ann.add
// CHECK: ann.affine {{.*}} scale(dense<{{\[\[}}2.000000e+00], [3.000000e+00]]> : tensor<2x1xf32>)
