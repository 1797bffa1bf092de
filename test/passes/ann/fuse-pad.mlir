// RUN: nc-opt %s --split-input-file -p fuse-pad --validate | filecheck %s

// Every convolution that reads a padding of height and width pads by itself, on top of what it pads already.

// CHECK-LABEL: @two_readers
// CHECK-NEXT: %[[A:.*]] = ann.conv2d %x {{.*}} padding [0, 1, 0, 1] :
// CHECK-NEXT: %[[B:.*]] = ann.conv2d %x {{.*}} stride [2, 2] padding [1, 2, 1, 2] :
// CHECK-NEXT: func.return %[[A]], %[[B]]
func.func @two_readers(%x: tensor<1x2x2xf32>) -> (tensor<1x2x2xf32>, tensor<1x2x2xf32>) {
  %0 = ann.pad %x low [0, 0, 0] high [0, 1, 1] : tensor<1x2x2xf32> -> tensor<1x3x3xf32>
  %1 = ann.conv2d %0 weight(dense<2.0> : tensor<1x1x2x2xf32>) : tensor<1x3x3xf32> -> tensor<1x2x2xf32>
  %2 = ann.conv2d %0 weight(dense<2.0> : tensor<1x1x2x2xf32>) stride [2, 2] padding [1, 1, 1, 1] : tensor<1x3x3xf32> -> tensor<1x2x2xf32>
  func.return %1, %2 : tensor<1x2x2xf32>, tensor<1x2x2xf32>
}

// -----

// Added channels are no padding that a convolution has.

// CHECK-LABEL: @channels
// CHECK-NEXT: ann.pad
// CHECK-NEXT: ann.conv2d {{.*}}) : tensor<2x3x3xf32>
func.func @channels(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %0 = ann.pad %x low [1, 0, 0] high [0, 1, 1] : tensor<1x2x2xf32> -> tensor<2x3x3xf32>
  %1 = ann.conv2d %0 weight(dense<2.0> : tensor<1x2x2x2xf32>) : tensor<2x3x3xf32> -> tensor<1x2x2xf32>
  func.return %1 : tensor<1x2x2xf32>
}
