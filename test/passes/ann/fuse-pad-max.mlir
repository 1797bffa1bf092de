// RUN: nc-opt %s --split-input-file -p fuse-pad --validate | filecheck %s

// In a maximum the padding of the pooling never wins, while zeros win over what is negative: behind a rectifier it is
// the same.

// CHECK-LABEL: @rectified
// CHECK-NEXT: %[[R:.*]] = ann.relu
// CHECK-NEXT: ann.max_pool2d %[[R]] kernel [2, 2] padding [0, 1, 0, 1] :
func.func @rectified(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %0 = ann.relu %x : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %1 = ann.pad %0 low [0, 0, 0] high [0, 1, 1] : tensor<1x2x2xf32> -> tensor<1x3x3xf32>
  %2 = ann.max_pool2d %1 kernel [2, 2] : tensor<1x3x3xf32> -> tensor<1x2x2xf32>
  func.return %2 : tensor<1x2x2xf32>
}

// -----

// CHECK-LABEL: @signed
// CHECK-NEXT: ann.pad
func.func @signed(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %0 = ann.pad %x low [0, 0, 0] high [0, 1, 1] : tensor<1x2x2xf32> -> tensor<1x3x3xf32>
  %1 = ann.max_pool2d %0 kernel [2, 2] : tensor<1x3x3xf32> -> tensor<1x2x2xf32>
  func.return %1 : tensor<1x2x2xf32>
}

// -----

// A window of zeros alone has a maximum; a window of padding alone has none.

// CHECK-LABEL: @empty_window
// CHECK-NEXT: ann.relu
// CHECK-NEXT: ann.pad
func.func @empty_window(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %0 = ann.relu %x : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %1 = ann.pad %0 low [0, 0, 0] high [0, 2, 2] : tensor<1x2x2xf32> -> tensor<1x4x4xf32>
  %2 = ann.max_pool2d %1 kernel [2, 2] stride [2, 2] : tensor<1x4x4xf32> -> tensor<1x2x2xf32>
  func.return %2 : tensor<1x2x2xf32>
}

// -----

// CHECK-LABEL: @sum
// CHECK-NEXT: ann.sum_pool2d %x kernel [2, 2] padding [0, 1, 0, 1] :
func.func @sum(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %0 = ann.pad %x low [0, 0, 0] high [0, 1, 1] : tensor<1x2x2xf32> -> tensor<1x3x3xf32>
  %1 = ann.sum_pool2d %0 kernel [2, 2] : tensor<1x3x3xf32> -> tensor<1x2x2xf32>
  func.return %1 : tensor<1x2x2xf32>
}
