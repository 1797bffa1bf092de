// RUN: not nc-opt %s 2>&1 | filecheck %s

// One constant per channel.

func.func @main(%x: tensor<2x1x1xf32>) -> tensor<2x1x1xf32> {
  %r = ann.batch_norm %x scale(dense<1.0> : tensor<2xf32>) shift(dense<1.0> : tensor<2xf32>) mean(dense<1.0> : tensor<1xf32>) variance(dense<1.0> : tensor<2xf32>) epsilon 0.0 : f64 : tensor<2x1x1xf32> -> tensor<2x1x1xf32>
  func.return %r : tensor<2x1x1xf32>
}

// CHECK: expected one value for each of 2 channels, found (1,)
