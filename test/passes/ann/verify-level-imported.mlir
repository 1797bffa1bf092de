// RUN: not nc-opt %s -p 'verify-level{level=ann-imported}' 2>&1 | filecheck %s

// An imported network is in floats: no quantised neuron layer, nothing of another dialect.

func.func @main(%x: tensor<1xi32>) -> tensor<1xf32> {
  %0 = ann.staircase %x bias(dense<0> : tensor<1xi32>) threshold(dense<2> : tensor<1xi32>) initial(dense<1> : tensor<1xi32>) scale(dense<1.0> : tensor<1xf64>) levels 3 : (tensor<1xi32>) -> tensor<1x!ann.count<0, 3>> loc("layer")
  %1 = host.dequantize %0 scale(dense<0.5> : tensor<1xf64>) : tensor<1x!ann.count<0, 3>> -> tensor<1xf32> loc("out")
  func.return %1 : tensor<1xf32>
}

// CHECK:      2 things stand between the model and level ann-imported:
// CHECK-NEXT:   - `ann.staircase` (layer): it does not belong to level ann-imported
// CHECK-NEXT:   - `host.dequantize` (out): it does not belong to level ann-imported
