// RUN: nc-opt %s --split-input-file -p hoist-activations --validate | filecheck %s

// An activation stays where something else reads what is before it, where it does not rectify, and behind an average.

// CHECK-LABEL: @shared
// CHECK-NEXT: ann.max_pool2d
// CHECK-NEXT: ann.relu
func.func @shared(%x: tensor<1x2x2xf32>) -> (tensor<1x1x1xf32>, tensor<1x1x1xf32>) {
  %0 = ann.max_pool2d %x kernel [2, 2] : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
  %1 = ann.relu %0 : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  func.return %0, %1 : tensor<1x1x1xf32>, tensor<1x1x1xf32>
}

// -----

// CHECK-LABEL: @signed
// CHECK-NEXT: ann.pad
// CHECK-NEXT: ann.clamp
func.func @signed(%x: tensor<1xf32>) -> tensor<2xf32> {
  %0 = ann.pad %x low [1] high [0] : tensor<1xf32> -> tensor<2xf32>
  %1 = ann.clamp %0 minimum 0.5 : f64 : tensor<2xf32> -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

// -----

// CHECK-LABEL: @average
// CHECK-NEXT: ann.average_pool2d
// CHECK-NEXT: ann.relu
func.func @average(%x: tensor<1x2x2xf32>) -> tensor<1x1x1xf32> {
  %0 = ann.average_pool2d %x kernel [2, 2] : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
  %1 = ann.relu %0 : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  func.return %1 : tensor<1x1x1xf32>
}

// -----

// The maximum over padding alone is minus infinity, which only an activation behind it makes zero.

// CHECK-LABEL: @empty_window
// CHECK-NEXT: ann.max_pool2d
// CHECK-NEXT: ann.relu
func.func @empty_window(%x: tensor<1x1x1xf32>) -> tensor<1x1x2xf32> {
  %0 = ann.max_pool2d %x kernel [1, 1] padding [0, 0, 0, 1] : tensor<1x1x1xf32> -> tensor<1x1x2xf32>
  %1 = ann.relu %0 : tensor<1x1x2xf32> -> tensor<1x1x2xf32>
  func.return %1 : tensor<1x1x2xf32>
}
