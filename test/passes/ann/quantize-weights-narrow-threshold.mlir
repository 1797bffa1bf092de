// RUN: nc-opt %s -p quantize-weights | filecheck %s

// A threshold of 100 does not fit into 6 bits: the channel gets a coarser unit, weights and bias too.

builtin.module attributes {nc.constraints = {threshold_bits = 6 : i64}} {
  func.func @main(%x: tensor<1x!ann.count<0, 3>>) -> tensor<1x!ann.count<0, 3>> {
    // CHECK: weight(dense<39> : tensor<1x1xi8>)
    %0 = ann.linear %x weight(dense<[[1.27]]> : tensor<1x1xf32>) : tensor<1x!ann.count<0, 3>> -> tensor<1xf32>
    // CHECK: bias(dense<16> : tensor<1xi32>) threshold(dense<31> : tensor<1xi32>)
    %1 = ann.staircase %0 bias(dense<0.5> : tensor<1xf32>) threshold(dense<1.0> : tensor<1xf32>) initial(dense<0.5> : tensor<1xf32>) scale(dense<1.0> : tensor<1xf64>) levels 3 : (tensor<1xf32>) -> tensor<1x!ann.count<0, 3>>
    func.return %1 : tensor<1x!ann.count<0, 3>>
  }
}
