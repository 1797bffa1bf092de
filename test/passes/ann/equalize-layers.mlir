// RUN: nc-opt %s -p 'calibrate,equalize-layers{timesteps=15},quantize-activations,quantize-weights' | filecheck %s

// Thresholds 1 and 1, weights 1 and 100: with one threshold the first channel would have weight 1 of 127. The clip range
// of the second channel is raised, so that the first one's weight has more steps; both thresholds are one integer.

builtin.module attributes {nc.calibration = [dense<[[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [4.0, 4.0], [5.0, 5.0], [6.0, 6.0], [7.0, 7.0], [8.0, 8.0], [9.0, 9.0], [10.0, 10.0], [11.0, 11.0], [12.0, 12.0], [13.0, 13.0], [14.0, 14.0], [15.0, 15.0]]> : tensor<16x2xf32>],
                           nc.constraints = {threshold_granularity = "layer"}} {
  func.func @main(%arg: tensor<2xf32>) -> tensor<2xf32> {
    %x = ann.input %arg : tensor<2xf32> -> tensor<2xf32>
    %0 = ann.diagonal %x weight(dense<[1.0, 100.0]> : tensor<2xf32>) : tensor<2xf32> -> tensor<2xf32>
    %y = ann.neuron %0 {nc.clip = dense<15.0> : tensor<2xf32>} : (tensor<2xf32>) -> tensor<2xf32>
    func.return %y : tensor<2xf32>
  }
}

// CHECK: ann.diagonal %{{.*}} weight(dense<{{.*}}127]> : tensor<2xi8>)
// CHECK: ann.staircase
// CHECK-SAME: threshold(dense<[[T:[0-9]+]]> : tensor<2xi32>)
