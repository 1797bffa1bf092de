// RUN: not nc-opt %s 2>&1 | filecheck %s

// Windows of sums have no holes.

func.func @main(%x: tensor<1x3x3x!snn.graded<0, 3>>) {
  %0 = snn.sum_pool2d %x kernel [2, 2] dilation [2, 2] : tensor<1x3x3x!snn.graded<0, 3>> -> tensor<1x1x1x!snn.graded<0, 12>>
  func.return
}

// CHECK: 'snn.sum_pool2d' the windows of sums and averages cannot be dilated
