// RUN: nc-opt %s -p 'calibrate,balance-thresholds{method="max"}' --validate | filecheck %s

// A channel that never fired gets the layer's largest range; a clamp in the model bounds every range.

builtin.module attributes {nc.calibration = [dense<[[1.0, -1.0], [8.0, -2.0]]> : tensor<2x2xf32>]} {
  func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
    %0 = ann.diagonal %x weight(dense<1.0> : tensor<1xf32>) : tensor<2xf32> -> tensor<2xf32>
    %y = ann.neuron %0 : (tensor<2xf32>) -> tensor<2xf32>
    %1 = ann.diagonal %y weight(dense<1.0> : tensor<1xf32>) : tensor<2xf32> -> tensor<2xf32>
    %z = ann.neuron %1 maximum 6.0 : f64 : (tensor<2xf32>) -> tensor<2xf32>
    func.return %z : tensor<2xf32>
  }
}

// CHECK: ann.neuron
// CHECK-SAME: nc.clip = dense<8.000000e+00> : tensor<2xf32>
// CHECK: ann.neuron
// CHECK-SAME: nc.clip = dense<6.000000e+00> : tensor<2xf32>
