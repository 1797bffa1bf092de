// RUN: nc-opt %s --split-input-file -p fold-constants --validate | filecheck %s

// x - c is a shift by -c; c - x turns the sign of x.

// CHECK-LABEL: @minus_constant
// CHECK-NEXT: ann.affine %x shift(dense<[-1.000000e+00, 2.000000e+00]> : tensor<2xf32>)
// CHECK-NEXT: func.return
func.func @minus_constant(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = ann.constant dense<[1.0, -2.0]> : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.sub %x, %0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

// -----

// CHECK-LABEL: @constant_minus
// CHECK-NEXT: ann.affine %x scale(dense<-1.000000e+00> : tensor<f32>) shift(dense<[1.000000e+00, -2.000000e+00]> : tensor<2xf32>)
// CHECK-NEXT: func.return
func.func @constant_minus(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = ann.constant dense<[1.0, -2.0]> : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.sub %0, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}
