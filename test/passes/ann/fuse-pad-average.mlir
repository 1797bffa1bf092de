// RUN: nc-opt %s --split-input-file -p fuse-pad --validate | filecheck %s

// What was padded before an average is an element of it: the pooling takes it where its own padding counts, or where it
// has none of its own.

// CHECK-LABEL: @own_none
// CHECK-NEXT: ann.average_pool2d %x kernel [2, 2] padding [0, 1, 0, 1] :
// CHECK-NEXT: func.return
func.func @own_none(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %0 = ann.pad %x low [0, 0, 0] high [0, 1, 1] : tensor<1x2x2xf32> -> tensor<1x3x3xf32>
  %1 = ann.average_pool2d %0 kernel [2, 2] count_include_pad false : tensor<1x3x3xf32> -> tensor<1x2x2xf32>
  func.return %1 : tensor<1x2x2xf32>
}

// -----

// CHECK-LABEL: @own_counts
// CHECK-NEXT: ann.average_pool2d %x kernel [2, 2] padding [1, 1, 0, 1] :
func.func @own_counts(%x: tensor<1x2x2xf32>) -> tensor<1x3x2xf32> {
  %0 = ann.pad %x low [0, 0, 0] high [0, 1, 1] : tensor<1x2x2xf32> -> tensor<1x3x3xf32>
  %1 = ann.average_pool2d %0 kernel [2, 2] padding [1, 0, 0, 0] : tensor<1x3x3xf32> -> tensor<1x3x2xf32>
  func.return %1 : tensor<1x3x2xf32>
}

// -----

// CHECK-LABEL: @own_does_not_count
// CHECK-NEXT: ann.pad
// CHECK-NEXT: ann.average_pool2d
func.func @own_does_not_count(%x: tensor<1x2x2xf32>) -> tensor<1x3x2xf32> {
  %0 = ann.pad %x low [0, 0, 0] high [0, 1, 1] : tensor<1x2x2xf32> -> tensor<1x3x3xf32>
  %1 = ann.average_pool2d %0 kernel [2, 2] padding [1, 0, 0, 0] count_include_pad false : tensor<1x3x3xf32> -> tensor<1x3x2xf32>
  func.return %1 : tensor<1x3x2xf32>
}
