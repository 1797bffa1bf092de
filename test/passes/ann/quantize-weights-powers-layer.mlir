// RUN: nc-opt %s -p quantize-weights | filecheck %s

// One power of two for the whole layer: the largest with which the weights of both channels fit.

builtin.module attributes {nc.constraints = {threshold_exponent = 7 : i64, threshold_granularity = "layer"}} {
  func.func @main(%x: tensor<2x!ann.count<0, 3>>) -> tensor<2x!ann.count<0, 3>> {
    %0 = ann.diagonal %x weight(dense<1.0> : tensor<2xf32>) : tensor<2x!ann.count<0, 3>> -> tensor<2xf32>
    %y = ann.staircase %0 bias(dense<0.0> : tensor<2xf32>) threshold(dense<[1.0, 4.0]> : tensor<2xf32>)
           initial(dense<[0.5, 2.0]> : tensor<2xf32>) scale(dense<[1.0, 4.0]> : tensor<2xf64>) levels 3
           : (tensor<2xf32>) -> tensor<2x!ann.count<0, 3>>
    func.return %y : tensor<2x!ann.count<0, 3>>
  }
}

// CHECK: weight(dense<[64, 16]> : tensor<2xi8>)
// CHECK: threshold(dense<64> : tensor<2xi32>) initial(dense<32> : tensor<2xi32>)
