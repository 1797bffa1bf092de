// RUN: nc-opt %s -p quantize-weights | filecheck %s

// Layers whose integers the target's limits change are named: here the first, whose threshold would be 127.

// CHECK: nc.narrowed = ["wide"]
builtin.module attributes {nc.constraints = {threshold_bits = 7 : i64}} {
  func.func @main(%x: tensor<1x!ann.count<0, 3>>) -> tensor<1x!ann.count<0, 3>> {
    %0 = ann.diagonal %x weight(dense<1.0> : tensor<1xf32>) : tensor<1x!ann.count<0, 3>> -> tensor<1xf32>
    %1 = ann.staircase %0 bias(dense<0.0> : tensor<1xf32>) threshold(dense<1.0> : tensor<1xf32>) initial(dense<0.5> : tensor<1xf32>) scale(dense<1.0> : tensor<1xf64>) levels 3 {nc.origin = "wide"} : (tensor<1xf32>) -> tensor<1x!ann.count<0, 3>>
    %2 = ann.diagonal %1 weight(dense<4.0> : tensor<1xf32>) : tensor<1x!ann.count<0, 3>> -> tensor<1xf32>
    %3 = ann.staircase %2 bias(dense<0.0> : tensor<1xf32>) threshold(dense<1.0> : tensor<1xf32>) initial(dense<0.5> : tensor<1xf32>) scale(dense<1.0> : tensor<1xf64>) levels 3 {nc.origin = "narrow"} : (tensor<1xf32>) -> tensor<1x!ann.count<0, 3>>
    func.return %3 : tensor<1x!ann.count<0, 3>>
  }
}
