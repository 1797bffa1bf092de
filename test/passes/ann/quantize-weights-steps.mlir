// RUN: nc-opt %s -p quantize-weights | filecheck %s

// Weights are even where the target's are, and thresholds multiples of 64.

builtin.module attributes {nc.constraints = {weight_bits = 9 : i64, weight_step = 2 : i64, threshold_step = 64 : i64}} {
  func.func @main(%x: tensor<2x!ann.count<0, 3>>) -> tensor<1x!ann.count<0, 3>> {
    // CHECK: weight(dense<[[254, 128]]> : tensor<1x2xi16>)
    %0 = ann.linear %x weight(dense<[[2.54, 1.27]]> : tensor<1x2xf32>) : tensor<2x!ann.count<0, 3>> -> tensor<1xf32>
    // CHECK: bias(dense<50> : tensor<1xi32>) threshold(dense<128> : tensor<1xi32>) initial(dense<64> : tensor<1xi32>)
    %1 = ann.staircase %0 bias(dense<0.5> : tensor<1xf32>) threshold(dense<1.0> : tensor<1xf32>) initial(dense<0.5> : tensor<1xf32>) scale(dense<1.0> : tensor<1xf64>) levels 3 : (tensor<1xf32>) -> tensor<1x!ann.count<0, 3>>
    func.return %1 : tensor<1x!ann.count<0, 3>>
  }
}
