// RUN: nc-opt %s --split-input-file -p fuse-pad --validate | filecheck %s

// A max pooling takes zeros of what is rectified: they win over nothing.

// CHECK-LABEL: @rectified
// CHECK-NEXT: %[[R:.*]] = ann.relu %x
// CHECK-NEXT: ann.max_pool2d %[[R]] kernel [2, 2] padding [1, 0, 1, 0]
func.func @rectified(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %0 = ann.relu %x : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %1 = ann.pad %0 low [0, 1, 1] high [0, 0, 0] : tensor<1x2x2xf32> -> tensor<1x3x3xf32>
  %2 = ann.max_pool2d %1 kernel [2, 2] : tensor<1x3x3xf32> -> tensor<1x2x2xf32>
  func.return %2 : tensor<1x2x2xf32>
}

// -----

// Where elements may be negative a zero of the padding can win.

// CHECK-LABEL: @signed
// CHECK-NEXT: ann.pad %x
// CHECK-NEXT: ann.max_pool2d
func.func @signed(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %0 = ann.pad %x low [0, 1, 1] high [0, 0, 0] : tensor<1x2x2xf32> -> tensor<1x3x3xf32>
  %1 = ann.max_pool2d %0 kernel [2, 2] : tensor<1x3x3xf32> -> tensor<1x2x2xf32>
  func.return %1 : tensor<1x2x2xf32>
}

// -----

// A window of zeros alone has a maximum; a window of padding alone has none.

// CHECK-LABEL: @empty_window
// CHECK-NEXT: ann.relu %x
// CHECK-NEXT: ann.pad
// CHECK-NEXT: ann.max_pool2d
func.func @empty_window(%x: tensor<1x2x2xf32>) -> tensor<1x3x3xf32> {
  %0 = ann.relu %x : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %1 = ann.pad %0 low [0, 2, 2] high [0, 0, 0] : tensor<1x2x2xf32> -> tensor<1x4x4xf32>
  %2 = ann.max_pool2d %1 kernel [2, 2] : tensor<1x4x4xf32> -> tensor<1x3x3xf32>
  func.return %2 : tensor<1x3x3xf32>
}
