// RUN: nc-opt %s -p fold-batch-norm --validate | filecheck %s

// In front of a convolution without padding, the scale multiplies its weights and the shift becomes a bias.

func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x1x1xf32> {
  %0 = ann.batch_norm %x scale(dense<2.0> : tensor<1xf32>) shift(dense<3.0> : tensor<1xf32>) mean(dense<0.0> : tensor<1xf32>) variance(dense<1.0> : tensor<1xf32>) epsilon 0.0 : f64 : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %1 = ann.conv2d %0 weight(dense<1.0> : tensor<1x1x2x2xf32>) bias(dense<1.0> : tensor<1xf32>) : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
  func.return %1 : tensor<1x1x1xf32>
}

// CHECK-NOT:  ann.batch_norm
// CHECK:      %[[Y:.*]] = ann.conv2d %x weight(dense<2.000000e+00> : tensor<1x1x2x2xf32>) bias(dense<1.300000e+01> : tensor<1xf32>)
// CHECK-NEXT: func.return %[[Y]]
