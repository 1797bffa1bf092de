// RUN: not nc-opt %s 2>&1 | filecheck %s

// Groups divide the channels.

func.func @main(%x: tensor<2x4x4xf32>) -> tensor<3x4x4xf32> {
  %r = ann.conv2d %x weight(dense<1.0> : tensor<3x1x1x1xf32>) groups 2 : tensor<2x4x4xf32> -> tensor<3x4x4xf32>
  func.return %r : tensor<3x4x4xf32>
}

// CHECK: 2 groups divide neither 2 input nor 3 output channels
