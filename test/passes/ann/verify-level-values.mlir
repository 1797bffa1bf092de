// RUN: not nc-opt %s -p 'verify-level{level=ann-imported}' 2>&1 | filecheck %s --check-prefix IMPORTED
// RUN: not nc-opt %s -p 'verify-level{level=ann-convertible structure-only=true}' 2>&1 | filecheck %s --check-prefix CONVERTIBLE

// Constants hold numbers, and variances have roots. Only what is added may be minus infinity, as attention masks are.

func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = ann.linear %x weight(dense<[[0x7FC00000, 1.0], [1.0, 2.0]]> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32> loc("first")
  %1 = ann.affine %0 shift(dense<[0xFF800000, 0.0]> : tensor<2xf32>) : tensor<2xf32> -> tensor<2xf32> loc("mask")
  %2 = ann.affine %1 shift(dense<[0x7F800000, 0.0]> : tensor<2xf32>) : tensor<2xf32> -> tensor<2xf32> loc("shift")
  %3 = ann.batch_norm %2 scale(dense<1.0> : tensor<2xf32>) shift(dense<1.0> : tensor<2xf32>) mean(dense<1.0> : tensor<2xf32>) variance(dense<[1.0, -1.0]> : tensor<2xf32>) epsilon 0.1 : f64 : tensor<2xf32> -> tensor<2xf32> loc("norm")
  %4 = ann.linear %3 weight(dense<1.0> : tensor<2x2xf32>) bias(dense<[0.0, 0xFF800000]> : tensor<2xf32>) : tensor<2xf32> -> tensor<2xf32> loc("last")
  func.return %4 : tensor<2xf32>
}

// IMPORTED:      4 things stand between the model and level ann-imported:
// IMPORTED-NEXT:   - `ann.linear` (first): its weight holds NaN or infinity. Train again, or load other weights.
// IMPORTED-NEXT:   - `ann.affine` (shift): its shift holds NaN or infinity.
// IMPORTED-NEXT:   - `ann.batch_norm` (norm): its variance plus epsilon is not positive.
// IMPORTED-NEXT:   - `ann.linear` (last): its bias holds NaN or infinity.

// CONVERTIBLE:     - `ann.linear` (first): its weight holds NaN or infinity. Train again, or load other weights.
// CONVERTIBLE:     - `ann.linear` (last): its bias holds NaN or infinity.
