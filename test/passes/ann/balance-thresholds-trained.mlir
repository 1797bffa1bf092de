// RUN: nc-opt %s -p 'calibrate,balance-thresholds{method="max"}' --validate | filecheck %s

// A clip range that was trained is not chosen again.

builtin.module attributes {nc.calibration = [dense<[[1.0], [8.0]]> : tensor<2x1xf32>]} {
  func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
    %0 = ann.diagonal %x weight(dense<1.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
    %y = ann.neuron %0 {nc.clip = dense<3.0> : tensor<1xf32>, nc.levels = 4 : i64, nc.trained} : (tensor<1xf32>) -> tensor<1xf32>
    func.return %y : tensor<1xf32>
  }
}

// CHECK: ann.neuron
// CHECK-SAME: nc.clip = dense<3.000000e+00> : tensor<1xf32>
