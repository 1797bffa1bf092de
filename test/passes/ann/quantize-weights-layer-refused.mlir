// RUN: not nc-opt %s -p quantize-weights 2>&1 | filecheck %s

// One unit of weights per channel leaves no way to one threshold where neurons of a channel have thresholds of their own.

builtin.module attributes {nc.constraints = {threshold_granularity = "layer"}} {
  func.func @main(%x: tensor<1x1x2x!ann.count<0, 3>>) -> tensor<1x1x2x!ann.count<0, 3>> {
    %0 = ann.conv2d %x weight(dense<1.0> : tensor<1x1x1x1xf32>) : tensor<1x1x2x!ann.count<0, 3>> -> tensor<1x1x2xf32>
    %y = ann.staircase %0 bias(dense<0.0> : tensor<1x1x1xf32>) threshold(dense<[[[1.0, 4.0]]]> : tensor<1x1x2xf32>)
           initial(dense<[[[0.5, 2.0]]]> : tensor<1x1x2xf32>) scale(dense<[[[1.0, 4.0]]]> : tensor<1x1x2xf64>) levels 3
           : (tensor<1x1x2xf32>) -> tensor<1x1x2x!ann.count<0, 3>> loc("here.py":1:1)
    func.return %y : tensor<1x1x2x!ann.count<0, 3>>
  }
}

// CHECK: `ann.staircase` (here.py:1): neurons of one channel have different thresholds, and on the target the whole layer has one
