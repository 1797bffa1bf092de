// RUN: nc-opt %s -p replace-average-pooling --validate | filecheck %s

// The divisor of a global average goes through the reshape into the classifier; its bias stays.

func.func @main(%x: tensor<2x2x2xf32>) -> tensor<1xf32> {
  %0 = ann.average_pool2d %x kernel [2, 2] : tensor<2x2x2xf32> -> tensor<2x1x1xf32>
  %1 = ann.reshape %0 : tensor<2x1x1xf32> -> tensor<2xf32>
  %2 = ann.linear %1 weight(dense<[[8.0, 4.0]]> : tensor<1x2xf32>) bias(dense<3.0> : tensor<1xf32>) : tensor<2xf32> -> tensor<1xf32>
  func.return %2 : tensor<1xf32>
}

// CHECK:      %[[S:.*]] = ann.sum_pool2d %x kernel [2, 2]
// CHECK-NEXT: %[[V:.*]] = ann.reshape %[[S]]
// CHECK-NEXT: ann.linear %[[V]] weight(dense<{{\[\[}}2.000000e+00, 1.000000e+00]]> : tensor<1x2xf32>) bias(dense<3.000000e+00> : tensor<1xf32>)
