// RUN: nc-opt %s -p replace-average-pooling --validate | filecheck %s

// A pooled feature that a classifier reads and the network returns: the classifier takes the divisor, and what is
// returned has a synapse of its own.

func.func @main(%x: tensor<1x2x2xf32>) -> (tensor<1xf32>, tensor<1xf32>) {
  // CHECK: %0 = ann.sum_pool2d %x kernel [2, 2]
  %0 = ann.average_pool2d %x kernel [2, 2] : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
  // CHECK: %1 = ann.reshape %0
  %1 = ann.reshape %0 : tensor<1x1x1xf32> -> tensor<1xf32>
  // CHECK: %2 = ann.linear %1 weight(dense<2.000000e+00> : tensor<1x1xf32>)
  %2 = ann.linear %1 weight(dense<8.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
  // CHECK: %3 = ann.diagonal %1 weight(dense<2.500000e-01> : tensor<1xf32>)
  // CHECK: func.return %2, %3
  func.return %2, %1 : tensor<1xf32>, tensor<1xf32>
}
