// RUN: nc-opt %s -p remove-identities --validate | filecheck %s

// Every operation whose result is its operand goes; @main returns its argument.

func.func @main(%x: tensor<2x3x3xf32>) -> tensor<2x3x3xf32> {
  %0 = ann.reshape %x : tensor<2x3x3xf32> -> tensor<2x3x3xf32>
  %1 = ann.transpose %0 permutation [0, 1, 2] : tensor<2x3x3xf32> -> tensor<2x3x3xf32>
  %2 = ann.slice %1 starts [0, 0, 0] stops [2, 3, 3] steps [1, 1, 1] : tensor<2x3x3xf32> -> tensor<2x3x3xf32>
  %3 = ann.pad %2 low [0, 0, 0] high [0, 0, 0] : tensor<2x3x3xf32> -> tensor<2x3x3xf32>
  %4 = ann.concat %3 axis 0 : (tensor<2x3x3xf32>) -> tensor<2x3x3xf32>
  %5 = ann.affine %4 : tensor<2x3x3xf32> -> tensor<2x3x3xf32>
  %6 = ann.clamp %5 : tensor<2x3x3xf32> -> tensor<2x3x3xf32>
  %7 = ann.max_pool2d %6 kernel [1, 1] : tensor<2x3x3xf32> -> tensor<2x3x3xf32>
  %8 = ann.sum_pool2d %7 kernel [1, 1] : tensor<2x3x3xf32> -> tensor<2x3x3xf32>
  %9 = ann.average_pool2d %8 kernel [1, 1] : tensor<2x3x3xf32> -> tensor<2x3x3xf32>
  func.return %9 : tensor<2x3x3xf32>
}

// CHECK:      @main
// CHECK-NEXT: func.return %x
