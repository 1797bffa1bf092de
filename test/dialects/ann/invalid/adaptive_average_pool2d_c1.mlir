// RUN: not nc-opt %s 2>&1 | filecheck %s

// There are two axes to pool over.

func.func @main(%x: tensor<2x2xf32>) {
  %0 = ann.adaptive_average_pool2d %x output [1, 1] : tensor<2x2xf32> -> tensor<1x1xf32>
  func.return
}

// CHECK: 'ann.adaptive_average_pool2d' expected channels, height and width and two output sizes, found (2, 2) and (1, 1)
