// RUN: nc-opt %s -p 'calibrate,balance-thresholds{method="max"}' --validate | filecheck %s

// An activation function has one table, and so one range for all channels; the relay that gathers its charge has none.
// A leaky rectifier scales with its input, so it has a range per channel.

builtin.module attributes {nc.calibration = [dense<[[1.0, 2.0], [-4.0, 0.5]]> : tensor<2x2xf32>]} {
  func.func @main(%arg: tensor<2xf32>) -> tensor<2xf32> {
    %x = ann.input %arg : tensor<2xf32> -> tensor<2xf32>
    %0 = ann.diagonal %x weight(dense<1.0> : tensor<1xf32>) : tensor<2xf32> -> tensor<2xf32>
    %1 = ann.relay %0 : (tensor<2xf32>) -> tensor<2xf32>
    %2 = ann.clamp %1 minimum -1.0 : f64 maximum 6.0 : f64 : tensor<2xf32> -> tensor<2xf32>
    %3 = ann.diagonal %x weight(dense<1.0> : tensor<1xf32>) : tensor<2xf32> -> tensor<2xf32>
    %4 = ann.relay %3 : (tensor<2xf32>) -> tensor<2xf32>
    %5 = ann.leaky_relu %4 slope 0.75 : f64 : tensor<2xf32> -> tensor<2xf32>
    func.return %5 : tensor<2xf32>
  }
}

// CHECK:      ann.relay {{.*}}x2048xi32>{{[}][}]}} : (
// CHECK-NEXT: ann.clamp {{.*}} nc.clip = dense<2.000000e+00> : tensor<2xf32>
// CHECK:      ann.leaky_relu {{.*}} nc.clip = dense<[3.000000e+00, 2.000000e+00]> : tensor<2xf32>
