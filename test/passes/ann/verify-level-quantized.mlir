// RUN: not nc-opt %s -p 'verify-level{level="ann-quantized"}' 2>&1 | filecheck %s

// Floats have no place in an integer network.

func.func @main(%x: tensor<1x!ann.count<0, 3>>) -> tensor<1xf32> {
  %0 = ann.linear %x weight(dense<1.0> : tensor<1x1xf32>) : tensor<1x!ann.count<0, 3>> -> tensor<1xf32> loc("fc"("model.py":2:0))
  func.return %0 : tensor<1xf32>
}

// CHECK: `ann.linear` (fc, model.py:2): its result is f32. Run `quantize-activations` and `quantize-weights`.
// CHECK-NEXT: `ann.linear` (fc, model.py:2): its weight is in floats. Run `quantize-weights`.
