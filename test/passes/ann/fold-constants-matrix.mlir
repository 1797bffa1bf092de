// RUN: nc-opt %s --split-input-file -p fold-constants --validate | filecheck %s

// The product with a constant matrix is linear, with the matrix transposed.

// CHECK-LABEL: @right
// CHECK-NEXT: ann.linear %x weight(dense<{{\[\[}}1.000000e+00, 3.000000e+00], [2.000000e+00, 4.000000e+00]]> : tensor<2x2xf32>)
// CHECK-NEXT: func.return
func.func @right(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %0 = ann.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %1 = ann.matmul %x, %0 : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  func.return %1 : tensor<1x2xf32>
}

// -----

// CHECK-LABEL: @left
// CHECK: ann.matmul
func.func @left(%x: tensor<2x1xf32>) -> tensor<2x1xf32> {
  %0 = ann.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %1 = ann.matmul %0, %x : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  func.return %1 : tensor<2x1xf32>
}
