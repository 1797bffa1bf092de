// RUN: nc-opt %s -p fuse-pad --validate | filecheck %s

// Padding of channels is no padding of a window: it stays.

func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %0 = ann.pad %x low [1, 0, 0] high [0, 0, 0] : tensor<1x2x2xf32> -> tensor<2x2x2xf32>
  %1 = ann.conv2d %0 weight(dense<1.0> : tensor<1x2x1x1xf32>) : tensor<2x2x2xf32> -> tensor<1x2x2xf32>
  func.return %1 : tensor<1x2x2xf32>
}

// CHECK: ann.pad
// CHECK-NEXT: ann.conv2d
