// RUN: not nc-opt %s -p 'verify-level{level=snn}' 2>&1 | filecheck %s

// An operation of another level is refused, by its own reason where there is one.

func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  %0 = ann.input %x : tensor<1xf32> -> tensor<1xf32> loc("x")
  %1 = ann.gelu %0 : tensor<1xf32> -> tensor<1xf32> loc("gelu")
  func.return %1 : tensor<1xf32>
}

// CHECK:      2 things stand between the model and level snn:
// CHECK-NEXT:   - `ann.input` (x): it does not belong to level snn
// CHECK-NEXT:   - `ann.gelu` (gelu): it was not quantised. Run `quantize-activations` first.
