// RUN: nc-opt %s --split-input-file -p fold-constants --validate | filecheck %s

// Scales and shifts that follow each other are one: 3 (2 x + 5) + 7 = 6 x + 22.

// CHECK-LABEL: @both
// CHECK-NEXT: ann.affine %x scale(dense<6.000000e+00> : tensor<1xf32>) shift(dense<2.200000e+01> : tensor<1xf32>)
// CHECK-NEXT: func.return
func.func @both(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = ann.affine %x scale(dense<2.0> : tensor<1xf32>) shift(dense<5.0> : tensor<1xf32>) : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.affine %0 scale(dense<3.0> : tensor<1xf32>) shift(dense<7.0> : tensor<1xf32>) : tensor<2xf32> -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

// -----

// Without a scale in either there is none in the result.

// CHECK-LABEL: @shifts
// CHECK-NEXT: ann.affine %x shift(dense<1.200000e+01> : tensor<1xf32>)
// CHECK-NEXT: func.return
func.func @shifts(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = ann.affine %x shift(dense<5.0> : tensor<1xf32>) : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.affine %0 shift(dense<7.0> : tensor<1xf32>) : tensor<2xf32> -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

// -----

// What others read stays.

// CHECK-LABEL: @shared
// CHECK-NEXT: %[[A:.*]] = ann.affine %x
// CHECK-NEXT: ann.affine %[[A]]
func.func @shared(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %0 = ann.affine %x shift(dense<5.0> : tensor<1xf32>) : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.affine %0 shift(dense<7.0> : tensor<1xf32>) : tensor<2xf32> -> tensor<2xf32>
  func.return %0, %1 : tensor<2xf32>, tensor<2xf32>
}
