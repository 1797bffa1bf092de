// RUN: not nc-opt %s 2>&1 | filecheck %s

// One bias per output channel.

func.func @main(%x: tensor<1x2x2xf32>) -> tensor<3x2x2xf32> {
  %r = ann.conv2d %x weight(dense<1.0> : tensor<3x1x1x1xf32>) bias(dense<1.0> : tensor<1xf32>) : tensor<1x2x2xf32> -> tensor<3x2x2xf32>
  func.return %r : tensor<3x2x2xf32>
}

// CHECK: expected one bias per output channel
