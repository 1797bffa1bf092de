// RUN: nc-opt %s --split-input-file -p fold-constants --validate | filecheck %s

// Zeros joined to the ends of a tensor are padding, as in a shortcut that adds channels.

// CHECK-LABEL: @ends
// CHECK-NEXT: ann.pad %x low [1] high [2] : tensor<1xf32> -> tensor<4xf32>
// CHECK-NEXT: func.return
func.func @ends(%x: tensor<1xf32>) -> tensor<4xf32> {
  %0 = ann.constant dense<0.0> : tensor<1xf32> -> tensor<1xf32>
  %1 = ann.constant dense<0.0> : tensor<2xf32> -> tensor<2xf32>
  %2 = ann.concat %0, %x, %1 axis 0 : (tensor<1xf32>, tensor<1xf32>, tensor<2xf32>) -> tensor<4xf32>
  func.return %2 : tensor<4xf32>
}

// -----

// Zeros in the middle stay.

// CHECK-LABEL: @middle
// CHECK: %[[J:.*]] = ann.concat %x, %{{.*}}, %x axis 0
// CHECK: ann.pad %[[J]] low [0] high [1]
func.func @middle(%x: tensor<1xf32>) -> tensor<4xf32> {
  %0 = ann.constant dense<0.0> : tensor<1xf32> -> tensor<1xf32>
  %1 = ann.concat %x, %0, %x, %0 axis 0 : (tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<4xf32>
  func.return %1 : tensor<4xf32>
}

// -----

// Other constants (a class token) are padding and a shift.

// CHECK-LABEL: @ones
// CHECK:      %0 = ann.pad %x low [0] high [1] : tensor<1xf32> -> tensor<2xf32>
// CHECK-NEXT: ann.affine %0 shift(dense<[0.000000e+00, 1.000000e+00]> : tensor<2xf32>)
func.func @ones(%x: tensor<1xf32>) -> tensor<2xf32> {
  %0 = ann.constant dense<1.0> : tensor<1xf32> -> tensor<1xf32>
  %1 = ann.concat %x, %0 axis 0 : (tensor<1xf32>, tensor<1xf32>) -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}
