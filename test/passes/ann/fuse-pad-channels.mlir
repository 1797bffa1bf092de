// RUN: nc-opt %s -p fuse-pad --validate | filecheck %s

// No operation pads channels by itself.

func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %0 = ann.pad %x low [0, 0, 0] high [1, 0, 0] : tensor<1x2x2xf32> -> tensor<2x2x2xf32>
  %1 = ann.conv2d %0 weight(dense<1.0> : tensor<1x2x1x1xf32>) : tensor<2x2x2xf32> -> tensor<1x2x2xf32>
  func.return %1 : tensor<1x2x2xf32>
}

// CHECK: ann.pad %x low [0, 0, 0] high [1, 0, 0]
// CHECK: ann.conv2d
