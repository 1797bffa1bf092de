// RUN: nc-opt %s -p replace-average-pooling --validate | filecheck %s

// What cannot take the divisor reads a synapse of its own: one depthwise convolution with weights 1/k.

func.func @main(%x: tensor<2x2x2xf32>) -> tensor<2x1x1xf32> {
  %0 = ann.average_pool2d %x kernel [2, 2] : tensor<2x2x2xf32> -> tensor<2x1x1xf32>
  %1 = ann.relu %0 : tensor<2x1x1xf32> -> tensor<2x1x1xf32>
  func.return %1 : tensor<2x1x1xf32>
}

// CHECK:      @main
// CHECK-NEXT: %[[C:.*]] = ann.conv2d %x weight(dense<2.500000e-01> : tensor<2x1x2x2xf32>) groups 2
// CHECK-NEXT: ann.relu %[[C]]
