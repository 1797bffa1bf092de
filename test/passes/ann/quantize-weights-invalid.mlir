// RUN: not nc-opt %s -p quantize-weights 2>&1 | filecheck %s
// RUN: not nc-opt %s -p 'quantize-weights{weight-bits=1}' 2>&1 | filecheck %s --check-prefix BITS

// A bias beyond 32 bits, in units of the weights, is refused with the layer's name.

func.func @main(%x: tensor<1x!ann.count<0, 3>>) -> tensor<1x!ann.count<0, 3>> {
  %0 = ann.linear %x weight(dense<0.000001> : tensor<1x1xf32>) : tensor<1x!ann.count<0, 3>> -> tensor<1xf32>
  %1 = ann.staircase %0 bias(dense<1000.0> : tensor<1xf32>) threshold(dense<1.0> : tensor<1xf32>) initial(dense<0.5> : tensor<1xf32>) scale(dense<1.0> : tensor<1xf64>) levels 3 : (tensor<1xf32>) -> tensor<1x!ann.count<0, 3>> loc("layer4.1"("model.py":9:0))
  func.return %1 : tensor<1x!ann.count<0, 3>>
}

// CHECK: the bias (layer4.1, model.py:9): it does not fit into 32 bits. Use fewer timesteps or weight bits.
// BITS: weight-bits must be 2 ... 16, not 1
