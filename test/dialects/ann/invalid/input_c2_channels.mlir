// RUN: not nc-opt %s 2>&1 | filecheck %s

// One mean per channel.

func.func @main(%x: tensor<1x2x2xui8>) -> tensor<1x2x2xf32> {
  %r = ann.input %x mean(dense<0.5> : tensor<3xf32>) std(dense<0.5> : tensor<3xf32>) : tensor<1x2x2xui8> -> tensor<1x2x2xf32>
  func.return %r : tensor<1x2x2xf32>
}

// CHECK: expected one mean and one std per channel
