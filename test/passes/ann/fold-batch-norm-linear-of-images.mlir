// RUN: nc-opt %s -p fold-batch-norm --validate | filecheck %s

// The channels of an image are its first axis, a linear operation's outputs the last: nothing folds.

func.func @main(%x: tensor<2x2x2xf32>) -> tensor<2x2x2xf32> {
  %0 = ann.linear %x weight(dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>) : tensor<2x2x2xf32> -> tensor<2x2x2xf32>
  %1 = ann.affine %0 scale(dense<[[[2.0]], [[3.0]]]> : tensor<2x1x1xf32>) : tensor<2x2x2xf32> -> tensor<2x2x2xf32>
  func.return %1 : tensor<2x2x2xf32>
}

// CHECK: ann.linear %x weight(dense<{{\[\[}}1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00]]>
// CHECK: ann.affine
