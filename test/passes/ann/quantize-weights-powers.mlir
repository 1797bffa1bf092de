// RUN: nc-opt %s -p quantize-weights | filecheck %s

// Thresholds are powers of two up to 2^7. With the first channel's weights as large as its threshold, 64 is the largest
// power with which they fit; the second has smaller weights and would bear 2^9.

builtin.module attributes {nc.constraints = {threshold_exponent = 7 : i64}} {
  func.func @main(%x: tensor<2x!ann.count<0, 3>>) -> tensor<2x!ann.count<0, 3>> {
    %0 = ann.diagonal %x weight(dense<1.0> : tensor<2xf32>) : tensor<2x!ann.count<0, 3>> -> tensor<2xf32>
    %y = ann.staircase %0 bias(dense<[0.5, 2.0]> : tensor<2xf32>) threshold(dense<[1.0, 4.0]> : tensor<2xf32>)
           initial(dense<[0.5, 2.0]> : tensor<2xf32>) scale(dense<[1.0, 4.0]> : tensor<2xf64>) levels 3
           : (tensor<2xf32>) -> tensor<2x!ann.count<0, 3>>
    func.return %y : tensor<2x!ann.count<0, 3>>
  }
}

// CHECK: weight(dense<[64, 32]> : tensor<2xi8>)
// CHECK: bias(dense<[32, 64]> : tensor<2xi32>) threshold(dense<[64, 128]> : tensor<2xi32>)
// CHECK-SAME: initial(dense<[32, 64]> : tensor<2xi32>) scale(dense<[1.000000e+00, 4.000000e+00]> : tensor<2xf64>)
