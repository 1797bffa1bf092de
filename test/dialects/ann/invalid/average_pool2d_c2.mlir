// RUN: not nc-opt %s 2>&1 | filecheck %s

// Windows of averages have no holes.

func.func @main(%x: tensor<1x3x3xf32>) {
  %0 = ann.average_pool2d %x kernel [2, 2] {dilation = array<i64: 2, 2>} : tensor<1x3x3xf32> -> tensor<1x1x1xf32>
  func.return
}

// CHECK: 'ann.average_pool2d' the windows of sums and averages cannot be dilated
