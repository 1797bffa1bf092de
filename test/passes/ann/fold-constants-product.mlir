// RUN: nc-opt %s -p fold-constants --validate | filecheck %s

// A product with a constant that broadcasts is a scale.

func.func @main(%x: tensor<2x1x3xf32>) -> tensor<2x1x3xf32> {
  %0 = ann.constant dense<[[[2.0]], [[3.0]]]> : tensor<2x1x1xf32> -> tensor<2x1x1xf32>
  %1 = ann.mul %x, %0 : (tensor<2x1x3xf32>, tensor<2x1x1xf32>) -> tensor<2x1x3xf32>
  func.return %1 : tensor<2x1x3xf32>
}

// CHECK:      @main
// CHECK-NEXT: ann.affine %x scale(dense<{{\[\[\[}}2.000000e+00]], {{\[\[}}3.000000e+00]]]> : tensor<2x1x1xf32>)
// CHECK-NEXT: func.return
