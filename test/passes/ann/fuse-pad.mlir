// RUN: nc-opt %s -p fuse-pad --validate | filecheck %s

// Padding goes into the convolution behind it, on top of the convolution's own, every side by itself.

func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x5x7xf32> {
  %0 = ann.pad %x low [0, 0, 2] high [0, 1, 3] : tensor<1x2x2xf32> -> tensor<1x3x7xf32>
  %1 = ann.conv2d %0 weight(dense<1.0> : tensor<1x1x1x2xf32>) padding [1, 1, 1, 0] : tensor<1x3x7xf32> -> tensor<1x5x7xf32>
  func.return %1 : tensor<1x5x7xf32>
}

// CHECK:      @main
// CHECK-NEXT: %[[Y:.*]] = ann.conv2d %x weight(dense<1.000000e+00> : tensor<1x1x1x2xf32>) padding [1, 2, 3, 3] : tensor<1x2x2xf32> -> tensor<1x5x7xf32>
// CHECK-NEXT: func.return %[[Y]]
