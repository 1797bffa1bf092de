// RUN: nc-opt %s -p 'calibrate,balance-thresholds{method="max"}' --validate | filecheck %s

// A synapse reads a column wherever it occurs: channels that a transposition moved into one column share a range.

builtin.module attributes {nc.calibration = [dense<[[[1.0, 2.0], [-8.0, 0.5]]]> : tensor<1x2x2xf32>]} {
  func.func @main(%arg: tensor<2x2xf32>) -> tensor<2x1xf32> {
    %x = ann.input %arg : tensor<2x2xf32> -> tensor<2x2xf32>
    %0 = ann.diagonal %x weight(dense<1.0> : tensor<1xf32>) : tensor<2x2xf32> -> tensor<2x2xf32>
    %tokens = ann.relay %0 : (tensor<2x2xf32>) -> tensor<2x2xf32>
    %1 = ann.transpose %tokens permutation [1, 0] : tensor<2x2xf32> -> tensor<2x2xf32>
    %2 = ann.linear %1 weight(dense<1.0> : tensor<1x2xf32>) : tensor<2x2xf32> -> tensor<2x1xf32>
    func.return %2 : tensor<2x1xf32>
  }
}

// CHECK: %tokens = ann.relay {{.*}} nc.clip = dense<8.000000e+00> : tensor<2xf32>
