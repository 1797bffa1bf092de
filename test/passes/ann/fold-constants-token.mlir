// RUN: nc-opt %s -p fold-constants --validate | filecheck %s

// A class token in front of the patches, and positions added to both, are padding and one shift.

func.func @main(%x: tensor<2x1xf32>) -> tensor<3x1xf32> {
  %t = ann.constant dense<5.0> : tensor<1x1xf32> -> tensor<1x1xf32>
  %p = ann.constant dense<[[1.0], [2.0], [3.0]]> : tensor<3x1xf32> -> tensor<3x1xf32>
  %0 = ann.concat %t, %x axis 0 : (tensor<1x1xf32>, tensor<2x1xf32>) -> tensor<3x1xf32>
  %1 = ann.add %0, %p : (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3x1xf32>
  func.return %1 : tensor<3x1xf32>
}

// CHECK:      [[PADDED:%.+]] = ann.pad %x low [1, 0] high [0, 0] : tensor<2x1xf32> -> tensor<3x1xf32>
// CHECK-NEXT: [[SHIFTED:%.+]] = ann.affine [[PADDED]] shift(dense<{{\[\[}}6.000000e+00], [2.000000e+00], [3.000000e+00]]>
// CHECK-NEXT: func.return [[SHIFTED]]
