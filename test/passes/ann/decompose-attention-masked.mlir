// RUN: nc-opt %s -p decompose-attention --validate | filecheck %s
// RUN: not nc-opt %s -p 'decompose-attention,verify-level{level="ann-convertible" structure-only=true}' 2>&1 | filecheck %s --check-prefix REFUSED

// Attention that masks stays, and is refused with its reason.

func.func @main(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  // CHECK: ann.attention %x, %x, %x scale 5.000000e-01 : f64 causal true
  %0 = ann.attention %x, %x, %x scale 0.5 : f64 causal true : (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32> loc("causal"("model.py":1:0))
  // CHECK-NEXT: ann.attention %x, %x, %x scale 5.000000e-01 : f64 mask(
  %1 = ann.attention %x, %x, %x scale 0.5 : f64 mask(dense<[[0.0, -1.0], [0.0, 0.0]]> : tensor<2x2xf32>) : (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32> loc("masked"("model.py":2:0))
  func.return %0, %1 : tensor<2x3xf32>, tensor<2x3xf32>
}

// REFUSED: `ann.attention` (causal, model.py:1; and 1 more): a masked share is zero, which needs an infinite score. Use attention without a mask.
