// RUN: nc-opt %s -p defer-rounding --validate | filecheck %s

// One clip range per channel of images is written as a vector, one for all of them as a single number.

// CHECK:      %[[A:.*]] = ann.relu %x {nc.clip = dense<[3.000000e+00, 6.000000e+00]> : tensor<2xf32>, nc.levels = 4 : i64, nc.trained} : tensor<2x1x1xf32>
// CHECK-NEXT: ann.relu %[[A]] {nc.clip = dense<5.000000e-01> : tensor<1xf32>, nc.levels = 2 : i64, nc.trained}
func.func @main(%x: tensor<2x1x1xf32>) -> tensor<2x1x1xf32> {
  %0 = ann.rounded_relu %x clip(dense<[[[3.0]], [[6.0]]]> : tensor<2x1x1xf32>) levels 4 : tensor<2x1x1xf32> -> tensor<2x1x1xf32>
  %1 = ann.rounded_relu %0 clip(dense<0.5> : tensor<1x1x1xf32>) levels 2 : tensor<2x1x1xf32> -> tensor<2x1x1xf32>
  func.return %1 : tensor<2x1x1xf32>
}
