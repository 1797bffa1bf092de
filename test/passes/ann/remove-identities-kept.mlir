// RUN: nc-opt %s -p remove-identities --validate | filecheck %s

// What looks alike but changes something stays.

func.func @main(%x: tensor<2x2x2xf32>) -> tensor<2x1x1xf32> {
  %0 = ann.transpose %x permutation [0, 2, 1] : tensor<2x2x2xf32> -> tensor<2x2x2xf32>
  %1 = ann.slice %0 starts [0, 0, 0] stops [2, 2, 2] steps [1, 2, 1] : tensor<2x2x2xf32> -> tensor<2x1x2xf32>
  %2 = ann.max_pool2d %1 kernel [1, 1] stride [1, 2] : tensor<2x1x2xf32> -> tensor<2x1x1xf32>
  %3 = ann.clamp %2 minimum -1.0 : f64 : tensor<2x1x1xf32> -> tensor<2x1x1xf32>
  func.return %3 : tensor<2x1x1xf32>
}

// CHECK: ann.transpose
// CHECK: ann.slice
// CHECK: ann.max_pool2d
// CHECK: ann.clamp
