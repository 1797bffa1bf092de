// RUN: nc-opt %s -p 'choose-levels{budget=9}' --validate | filecheck %s

// The first layer's rounding is amplified a hundredfold by the second one, so it gets more of the nine steps.

builtin.module attributes {nc.calibration = [dense<[[0.3], [1.7]]> : tensor<2x1xf32>]} {
  func.func @main(%x: tensor<1xf32>) -> (tensor<1xf32>, tensor<1xf32>) {
    %0 = ann.diagonal %x weight(dense<1.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
    %1 = ann.neuron %0 {nc.statistics = {minimum = dense<0.0> : tensor<1xf32>, maximum = dense<2.0> : tensor<1xf32>,
      mean = dense<1.0> : tensor<1xf32>, variance = dense<1.0> : tensor<1xf32>,
      edges = dense<[[0.0, 2.0]]> : tensor<1x2xf32>, histogram = dense<1> : tensor<1x2048xi32>}} : (tensor<1xf32>) -> tensor<1xf32>
    %2 = ann.diagonal %1 weight(dense<100.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
    %3 = ann.diagonal %1 weight(dense<1.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
    %4 = ann.neuron %3 {nc.statistics = {minimum = dense<0.0> : tensor<1xf32>, maximum = dense<2.0> : tensor<1xf32>,
      mean = dense<1.0> : tensor<1xf32>, variance = dense<1.0> : tensor<1xf32>,
      edges = dense<[[0.0, 2.0]]> : tensor<1x2xf32>, histogram = dense<1> : tensor<1x2048xi32>}} : (tensor<1xf32>) -> tensor<1xf32>
    func.return %2, %4 : tensor<1xf32>, tensor<1xf32>
  }
}

// CHECK: ann.neuron
// CHECK-SAME: nc.levels = 8 : i64
// CHECK: ann.neuron
// CHECK-SAME: nc.levels = 1 : i64
