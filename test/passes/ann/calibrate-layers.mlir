// RUN: nc-opt %s -p 'calibrate,calibrate-layers{timesteps=15 steps="bias","threshold"}' | filecheck %s

// What arrives reaches up to 15, and so does the clip range that is found. The readout behind is a layer too: its bias
// makes up for what integer weights change in the mean.

builtin.module attributes {nc.calibration = [dense<[[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0], [8.0], [9.0], [10.0], [11.0], [12.0], [13.0], [14.0], [15.0]]> : tensor<16x1xf32>]} {
  func.func @main(%arg: tensor<1xf32>) -> tensor<1xf32> {
    %x = ann.input %arg : tensor<1xf32> -> tensor<1xf32>
    %0 = ann.linear %x weight(dense<1.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
    %y = ann.neuron %0 {nc.clip = dense<5.0> : tensor<1xf32>} : (tensor<1xf32>) -> tensor<1xf32>
    %z = ann.linear %y weight(dense<2.0> : tensor<1x1xf32>) bias(dense<1.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
    func.return %z : tensor<1xf32>
  }
}

// CHECK: ann.linear %x weight(dense<1.000000e+00> : tensor<1x1xf32>) : tensor<1xf32>
// CHECK: ann.neuron
// CHECK-SAME: nc.clip = dense<1.500000e+01> : tensor<1xf32>
// CHECK: ann.linear %y weight(dense<2.000000e+00> : tensor<1x1xf32>) bias(dense<0.99{{[0-9]+}}> : tensor<1xf32>)
