// RUN: nc-opt %s -p annotate-ranges-from-batch-norm --validate | filecheck %s

// Batch norm promises mean 1 and deviation 2; four deviations up is 9, and a rectified activation starts at 0.

func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %0 = ann.batch_norm %x scale(dense<2.0> : tensor<1xf32>) shift(dense<1.0> : tensor<1xf32>) mean(dense<0.0> : tensor<1xf32>) variance(dense<1.0> : tensor<1xf32>) epsilon 0.0 : f64 : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %1 = ann.relu %0 : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  func.return %1 : tensor<1x2x2xf32>
}

// CHECK: ann.relu
// CHECK-SAME: minimum = dense<0.000000e+00> : tensor<1xf32>, maximum = dense<9.000000e+00> : tensor<1xf32>
