// RUN: nc-opt %s --split-input-file -p hoist-activations --validate | filecheck %s

// An average of rectified elements is not the rectified average.

// CHECK-LABEL: @average
// CHECK-NEXT: ann.average_pool2d %x
// CHECK-NEXT: ann.relu
func.func @average(%x: tensor<1x2x2xf32>) -> tensor<1x1x1xf32> {
  %0 = ann.average_pool2d %x kernel [2, 2] : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
  %1 = ann.relu %0 : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  func.return %1 : tensor<1x1x1xf32>
}

// -----

// Others read the pooling as it is.

// CHECK-LABEL: @shared
// CHECK-NEXT: ann.max_pool2d %x
// CHECK-NEXT: ann.relu
func.func @shared(%x: tensor<1x2x2xf32>) -> (tensor<1x1x1xf32>, tensor<1x1x1xf32>) {
  %0 = ann.max_pool2d %x kernel [2, 2] : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
  %1 = ann.relu %0 : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  func.return %0, %1 : tensor<1x1x1xf32>, tensor<1x1x1xf32>
}

// -----

// A clamp from below zero keeps no zero of the padding apart from its elements, but it is no rectifier either.

// CHECK-LABEL: @negative_bound
// CHECK-NEXT: ann.pad %x
// CHECK-NEXT: ann.clamp
func.func @negative_bound(%x: tensor<1xf32>) -> tensor<2xf32> {
  %0 = ann.pad %x low [0] high [1] : tensor<1xf32> -> tensor<2xf32>
  %1 = ann.clamp %0 minimum -1.0 : f64 : tensor<2xf32> -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

// -----

// A window of padding alone is rectified to zero; rectifying its elements would leave it without a maximum.

// CHECK-LABEL: @empty_window
// CHECK-NEXT: ann.max_pool2d %x
// CHECK-NEXT: ann.relu
func.func @empty_window(%x: tensor<1x1x1xf32>) -> tensor<1x2x1xf32> {
  %0 = ann.max_pool2d %x kernel [1, 1] padding [1, 0, 0, 0] : tensor<1x1x1xf32> -> tensor<1x2x1xf32>
  %1 = ann.relu %0 : tensor<1x2x1xf32> -> tensor<1x2x1xf32>
  func.return %1 : tensor<1x2x1xf32>
}
