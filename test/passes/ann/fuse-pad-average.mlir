// RUN: nc-opt %s --split-input-file -p fuse-pad --validate | filecheck %s

// A pooling without padding of its own counts the zeros as elements, and goes on to do so.

// CHECK-LABEL: @not_padded
// CHECK-NEXT: ann.average_pool2d %x kernel [2, 2] padding [0, 1, 0, 1] :
func.func @not_padded(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %0 = ann.pad %x low [0, 0, 0] high [0, 1, 1] : tensor<1x2x2xf32> -> tensor<1x3x3xf32>
  %1 = ann.average_pool2d %0 kernel [2, 2] count_include_pad false : tensor<1x3x3xf32> -> tensor<1x2x2xf32>
  func.return %1 : tensor<1x2x2xf32>
}

// -----

// The zeros count, the pooling's own padding does not: two kinds of border are left alone.

// CHECK-LABEL: @uncounted
// CHECK-NEXT: ann.pad
// CHECK-NEXT: ann.average_pool2d
func.func @uncounted(%x: tensor<1x2x2xf32>) -> tensor<1x4x4xf32> {
  %0 = ann.pad %x low [0, 0, 0] high [0, 1, 1] : tensor<1x2x2xf32> -> tensor<1x3x3xf32>
  %1 = ann.average_pool2d %0 kernel [2, 2] padding [1, 1, 1, 1] count_include_pad false : tensor<1x3x3xf32> -> tensor<1x4x4xf32>
  func.return %1 : tensor<1x4x4xf32>
}
