// RUN: nc-opt %s -p 'calibrate,calibrate-layers{timesteps=3 steps="threshold","joint"}' | filecheck %s

// Behind the walk weights, biases and clip ranges are tuned together: the weight, the bias that was not there and the
// range move a little.

builtin.module attributes {nc.calibration = [dense<[[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0], [8.0], [9.0], [10.0], [11.0], [12.0], [13.0], [14.0], [15.0]]> : tensor<16x1xf32>]} {
  func.func @main(%arg: tensor<1xf32>) -> tensor<1xf32> {
    %x = ann.input %arg : tensor<1xf32> -> tensor<1xf32>
    %0 = ann.linear %x weight(dense<1.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
    %y = ann.neuron %0 {nc.clip = dense<5.0> : tensor<1xf32>} : (tensor<1xf32>) -> tensor<1xf32>
    %z = ann.linear %y weight(dense<2.0> : tensor<1x1xf32>) bias(dense<1.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
    func.return %z : tensor<1xf32>
  }
}

// CHECK: ann.linear %x weight(dense<{{1\.0|9\.|0\.9}}
// CHECK: ann.neuron %{{.*}} bias(dense<{{.*}}> : tensor<1xf32>) {nc.clip = dense<{{1[0-9]\.|1\.[0-9]*e\+01}}
// CHECK: ann.linear %y weight(dense<{{1\.9|2\.0}}
