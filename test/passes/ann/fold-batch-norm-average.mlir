// RUN: nc-opt %s -p fold-batch-norm --validate | filecheck %s

// A norm behind an activation passes an average on its way down: the average of a shift is the shift, less where
// padded zeros count.

func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1xf32> {
  // CHECK-NOT: ann.batch_norm
  %0 = ann.relu %x : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %1 = ann.batch_norm %0 scale(dense<2.0> : tensor<1xf32>) shift(dense<5.0> : tensor<1xf32>) mean(dense<1.0> : tensor<1xf32>) variance(dense<4.0> : tensor<1xf32>) epsilon 0.0 : f64 : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %2 = ann.average_pool2d %1 kernel [2, 2] : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
  %3 = ann.reshape %2 : tensor<1x1x1xf32> -> tensor<1xf32>
  // CHECK: ann.linear %{{.*}} weight(dense<8.000000e+00> : tensor<1x1xf32>) bias(dense<3.200000e+01> : tensor<1xf32>)
  %4 = ann.linear %3 weight(dense<8.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
  func.return %4 : tensor<1xf32>
}
