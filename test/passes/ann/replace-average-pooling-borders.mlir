// RUN: nc-opt %s -p replace-average-pooling --validate | filecheck %s

// Without counted padding, windows at the border divide by fewer elements: every neuron has its own divisor.

func.func @main(%x: tensor<1x2x1xf32>) -> tensor<1x3x1xf32> {
  %0 = ann.average_pool2d %x kernel [2, 1] padding [1, 1, 0, 0] count_include_pad false : tensor<1x2x1xf32> -> tensor<1x3x1xf32>
  func.return %0 : tensor<1x3x1xf32>
}

// CHECK:      %[[S:.*]] = ann.sum_pool2d %x kernel [2, 1] padding [1, 1, 0, 0]
// CHECK-NEXT: ann.diagonal %[[S]] weight(dense<{{\[\[\[}}1.000000e+00], [5.000000e-01], [1.000000e+00]]]> : tensor<1x3x1xf32>)
