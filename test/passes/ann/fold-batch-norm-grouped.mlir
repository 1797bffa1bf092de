// RUN: nc-opt %s -p fold-batch-norm --validate | filecheck %s

// Before a grouped convolution, every group reads the scales and shifts of its own channels.

func.func @main(%x: tensor<4x1x1xf32>) -> tensor<2x1x1xf32> {
  %0 = ann.batch_norm %x scale(dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>) shift(dense<[1.0, 0.0, 0.0, 1.0]> : tensor<4xf32>) mean(dense<0.0> : tensor<4xf32>) variance(dense<1.0> : tensor<4xf32>) epsilon 0.0 : f64 : tensor<4x1x1xf32> -> tensor<4x1x1xf32>
  %1 = ann.conv2d %0 weight(dense<[[[[1.0]], [[1.0]]], [[[1.0]], [[10.0]]]]> : tensor<2x2x1x1xf32>) groups 2 : tensor<4x1x1xf32> -> tensor<2x1x1xf32>
  func.return %1 : tensor<2x1x1xf32>
}

// CHECK:      %[[Y:.*]] = ann.conv2d %x weight(dense<{{\[\[\[\[}}1.000000e+00]], {{\[\[}}2.000000e+00]]], {{\[\[\[}}3.000000e+00]], {{\[\[}}4.000000e+01]]]]> : tensor<2x2x1x1xf32>) bias(dense<[1.000000e+00, 1.000000e+01]> : tensor<2xf32>) groups 2
// CHECK-NEXT: func.return %[[Y]]
