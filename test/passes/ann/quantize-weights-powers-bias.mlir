// RUN: nc-opt %s -p quantize-weights | filecheck %s

// With 16-bit membranes a bias has 14 bits: 100 thresholds of 64 fit, and those of 128, which the weights would bear, not.

builtin.module attributes {nc.constraints = {threshold_exponent = 7 : i64, membrane_bits = 16 : i64}} {
  func.func @main(%x: tensor<1x!ann.count<0, 3>>) -> tensor<1x!ann.count<0, 3>> {
    %0 = ann.diagonal %x weight(dense<0.5> : tensor<1xf32>) : tensor<1x!ann.count<0, 3>> -> tensor<1xf32>
    %y = ann.staircase %0 bias(dense<100.0> : tensor<1xf32>) threshold(dense<1.0> : tensor<1xf32>)
           initial(dense<0.5> : tensor<1xf32>) scale(dense<1.0> : tensor<1xf64>) levels 3
           : (tensor<1xf32>) -> tensor<1x!ann.count<0, 3>>
    func.return %y : tensor<1x!ann.count<0, 3>>
  }
}

// CHECK: weight(dense<32> : tensor<1xi8>)
// CHECK: bias(dense<6400> : tensor<1xi32>) threshold(dense<64> : tensor<1xi32>)
