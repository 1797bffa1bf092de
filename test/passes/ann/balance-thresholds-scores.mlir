// RUN: nc-opt %s -p 'calibrate,balance-thresholds{method="max"}' --validate | filecheck %s

// A softmax compares all scores of a row, so that both factors have one range each.

builtin.module attributes {nc.calibration = [dense<[[[1.0, 2.0], [-8.0, 0.5]]]> : tensor<1x2x2xf32>]} {
  func.func @main(%arg: tensor<2x2xf32>) -> tensor<2x2xf32> {
    %x = ann.input %arg : tensor<2x2xf32> -> tensor<2x2xf32>
    %0 = ann.diagonal %x weight(dense<1.0> : tensor<1xf32>) : tensor<2x2xf32> -> tensor<2x2xf32>
    %left = ann.relay %0 : (tensor<2x2xf32>) -> tensor<2x2xf32>
    %1 = ann.diagonal %x weight(dense<0.5> : tensor<1xf32>) : tensor<2x2xf32> -> tensor<2x2xf32>
    %right = ann.relay %1 : (tensor<2x2xf32>) -> tensor<2x2xf32>
    %2 = ann.matmul %left, %right : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
    %3 = ann.relay %2 : (tensor<2x2xf32>) -> tensor<2x2xf32>
    %4 = ann.softmax %3 axis 1 : tensor<2x2xf32> -> tensor<2x2xf32>
    func.return %4 : tensor<2x2xf32>
  }
}

// CHECK: %left = ann.relay {{.*}} nc.clip = dense<8.000000e+00> : tensor<2xf32>
// CHECK: %right = ann.relay {{.*}} nc.clip = dense<4.000000e+00> : tensor<2xf32>
