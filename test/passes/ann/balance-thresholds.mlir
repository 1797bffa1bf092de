// RUN: nc-opt %s -p 'calibrate,balance-thresholds{method="max"}' --validate | filecheck %s --check-prefix MAX
// RUN: nc-opt %s -p 'calibrate,balance-thresholds{method="percentile" percentile=50}' --validate | filecheck %s --check-prefix HALF
// RUN: nc-opt %s -p 'calibrate,balance-thresholds{method="mse" timesteps=1}' --validate | filecheck %s --check-prefix MSE
// RUN: nc-opt %s -p 'calibrate,balance-thresholds{method="local"}' --validate | filecheck %s --check-prefix LOCAL

// Fifteen activations of 1 and one of 4: the largest is 4, the median of the layer 1, and a single level serves 1 best.

builtin.module attributes {nc.calibration = [dense<[[1.0], [1.0], [1.0], [1.0], [1.0], [1.0], [1.0], [1.0], [1.0], [1.0], [1.0], [1.0], [1.0], [1.0], [1.0], [4.0]]> : tensor<16x1xf32>]} {
  func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
    %0 = ann.diagonal %x weight(dense<1.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
    %y = ann.neuron %0 : (tensor<1xf32>) -> tensor<1xf32>
    func.return %y : tensor<1xf32>
  }
}

// MAX: nc.clip = dense<4.000000e+00> : tensor<1xf32>
// HALF: nc.clip = dense<1.000{{[0-9]+}}> : tensor<1xf32>
// MSE: nc.clip = dense<1.200000e+00> : tensor<1xf32>
// LOCAL: nc.clip = dense<3.{{[0-9]+}}> : tensor<1xf32>
