// RUN: not nc-opt %s -p quantize-weights 2>&1 | filecheck %s

// NaN and infinities are refused, not rounded to some integer; all at once.

func.func @main(%x: tensor<1x!ann.count<0, 3>>) -> tensor<1x!ann.count<0, 3>> {
  %0 = ann.linear %x weight(dense<[[0x7FC00000]]> : tensor<1x1xf32>) : tensor<1x!ann.count<0, 3>> -> tensor<1xf32> loc("fc")
  %y = ann.staircase %0 bias(dense<0.5> : tensor<1xf32>) threshold(dense<0x7F800000> : tensor<1xf32>) initial(dense<0.5> : tensor<1xf32>) scale(dense<1.0> : tensor<1xf64>) levels 3 : (tensor<1xf32>) -> tensor<1x!ann.count<0, 3>> loc("relu")
  func.return %y : tensor<1x!ann.count<0, 3>>
}

// CHECK:      error: the weights cannot be quantised:
// CHECK-NEXT:   - `ann.linear` (fc): its weight holds NaN or infinity. Train again, or load other weights.
// CHECK-NEXT:   - `ann.staircase` (relu): its threshold holds NaN or infinity.
