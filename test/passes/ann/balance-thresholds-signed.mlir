// RUN: nc-opt %s -p 'calibrate,balance-thresholds{method="max"}' --validate | filecheck %s

// A relay has one range for both signs, per channel: -4 and 1 need 4.

builtin.module attributes {nc.calibration = [dense<[[1.0, 2.0], [-4.0, 0.5]]> : tensor<2x2xf32>]} {
  func.func @main(%arg: tensor<2xf32>) -> tensor<2xf32> {
    %x = ann.input %arg : tensor<2xf32> -> tensor<2xf32>
    %0 = ann.diagonal %x weight(dense<1.0> : tensor<1xf32>) : tensor<2xf32> -> tensor<2xf32>
    %1 = ann.relay %0 : (tensor<2xf32>) -> tensor<2xf32>
    %2 = ann.linear %1 weight(dense<1.0> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
    func.return %2 : tensor<2xf32>
  }
}

// CHECK: ann.relay {{.*}} nc.clip = dense<[4.000000e+00, 2.000000e+00]> : tensor<2xf32>
