// RUN: not nc-opt %s -p 'verify-level{level=ann-quantized}' 2>&1 | filecheck %s

// At ann-quantized nothing is a float outside the host, and every count has a range.

func.func @main(%x: tensor<1x!ann.count<0, 3>>, %y: tensor<1xi16>) -> tensor<1xf32> {
  %0 = ann.linear %x weight(dense<1.0> : tensor<1x1xf32>) : tensor<1x!ann.count<0, 3>> -> tensor<1xf32> loc("float")
  %1 = ann.linear %x weight(dense<1> : tensor<1x1xi8>) bias(dense<1.0> : tensor<1xf32>) : tensor<1x!ann.count<0, 3>> -> tensor<1xi32> loc("bias")
  %2 = ann.reshape %y : tensor<1xi16> -> tensor<1x1xi16> loc("raw")
  func.return %0 : tensor<1xf32>
}

// CHECK:      4 things stand between the model and level ann-quantized:
// CHECK-NEXT:   - `ann.linear` (float): its result is f32. Run `quantize-activations` and `quantize-weights`.
// CHECK-NEXT:   - `ann.linear` (float): its weight is in floats. Run `quantize-weights`.
// CHECK-NEXT:   - `ann.linear` (bias): its bias is in floats. Run `quantize-weights`.
// CHECK-NEXT:   - `ann.reshape` (raw): its result is i16, neither a count in a range nor an accumulator
