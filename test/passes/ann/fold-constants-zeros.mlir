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

// Zeros in the middle, and other constants, stay.

// CHECK-LABEL: @middle
// CHECK: %[[J:.*]] = ann.concat %x, %{{.*}}, %x axis 0
// CHECK: ann.pad %[[J]] low [0] high [1]
func.func @middle(%x: tensor<1xf32>) -> tensor<4xf32> {
  %0 = ann.constant dense<0.0> : tensor<1xf32> -> tensor<1xf32>
  %1 = ann.concat %x, %0, %x, %0 axis 0 : (tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<4xf32>
  func.return %1 : tensor<4xf32>
}

// -----

// CHECK-LABEL: @ones
// CHECK: ann.concat
func.func @ones(%x: tensor<1xf32>) -> tensor<2xf32> {
  %0 = ann.constant dense<1.0> : tensor<1xf32> -> tensor<1xf32>
  %1 = ann.concat %x, %0 axis 0 : (tensor<1xf32>, tensor<1xf32>) -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}
