// RUN: nc-opt %s -p 'verify-level{level=ann-convertible structure-only=true}' --validate | filecheck %s --check-prefix STRUCTURE
// RUN: not nc-opt %s -p 'verify-level{level=ann-convertible}' 2>&1 | filecheck %s

// Before calibration a network holds the structural part of the contract only.

func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  %0 = ann.input %x : tensor<1xf32> -> tensor<1xf32> loc("x")
  %1 = ann.linear %0 weight(dense<1.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
  %2 = ann.neuron %1 : (tensor<1xf32>) -> tensor<1xf32> loc("relu")
  func.return %2 : tensor<1xf32>
}

// STRUCTURE: ann.neuron

// CHECK:      2 things stand between the model and level ann-convertible:
// CHECK-NEXT:   - `ann.input` (x): the input has no statistics. Run `calibrate`, with images.
// CHECK-NEXT:   - `ann.neuron` (relu): it has no clip range. Run `calibrate` and `balance-thresholds`, with images.
