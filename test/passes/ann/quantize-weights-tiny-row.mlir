// RUN: nc-opt %s -p quantize-weights | filecheck %s

// Weights that are tiny beside their bias, a dead channel's, take a coarser unit: here they become zero, and the bias
// says alone that the neuron fires at every step.

func.func @main(%x: tensor<1x!ann.count<0, 3>>) -> tensor<1x!ann.count<0, 3>> {
  // CHECK: weight(dense<0> : tensor<1x1xi8>)
  %0 = ann.linear %x weight(dense<0.000001> : tensor<1x1xf32>) : tensor<1x!ann.count<0, 3>> -> tensor<1xf32>
  // CHECK: bias(dense<67108863> : tensor<1xi32>) threshold(dense<67109> : tensor<1xi32>)
  %1 = ann.staircase %0 bias(dense<1000.0> : tensor<1xf32>) threshold(dense<1.0> : tensor<1xf32>) initial(dense<0.5> : tensor<1xf32>) scale(dense<1.0> : tensor<1xf64>) levels 3 : (tensor<1xf32>) -> tensor<1x!ann.count<0, 3>>
  func.return %1 : tensor<1x!ann.count<0, 3>>
}
