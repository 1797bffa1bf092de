// RUN: nc-opt %s -p fold-batch-norm --validate | filecheck %s

// scale / sqrt(variance + epsilon) is 2 / 2 = 1 and 6 / 2 = 3: weights times that, bias (b - mean) scale + shift.

func.func @main(%x: tensor<1x2x2xf32>) -> tensor<2x2x2xf32> {
  %0 = ann.conv2d %x weight(dense<[[[[1.0]]], [[[2.0]]]]> : tensor<2x1x1x1xf32>) bias(dense<[3.0, 4.0]> : tensor<2xf32>) : tensor<1x2x2xf32> -> tensor<2x2x2xf32>
  %1 = ann.batch_norm %0 scale(dense<[2.0, 6.0]> : tensor<2xf32>) shift(dense<[5.0, 7.0]> : tensor<2xf32>) mean(dense<1.0> : tensor<2xf32>) variance(dense<3.0> : tensor<2xf32>) epsilon 1.0 : f64 : tensor<2x2x2xf32> -> tensor<2x2x2xf32>
  func.return %1 : tensor<2x2x2xf32>
}

// CHECK:      %[[Y:.*]] = ann.conv2d %x weight(dense<{{\[\[\[\[}}1.000000e+00{{.*}}6.000000e+00{{.*}}) bias(dense<[7.000000e+00{{.*}}, 1.600000e+01{{.*}}]>
// CHECK-NEXT: func.return %[[Y]]
