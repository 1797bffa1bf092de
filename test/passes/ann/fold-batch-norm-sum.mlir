// RUN: nc-opt %s -p fold-batch-norm --validate | filecheck %s

// Behind a sum, the convolution takes the scale and the shift, the shortcut keeps its scale.

func.func @main(%x: tensor<1x1x1xf32>) -> tensor<1x1x1xf32> {
  %0 = ann.conv2d %x weight(dense<5.0> : tensor<1x1x1x1xf32>) : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  %1 = ann.add %0, %x : (tensor<1x1x1xf32>, tensor<1x1x1xf32>) -> tensor<1x1x1xf32>
  %2 = ann.batch_norm %1 scale(dense<2.0> : tensor<1xf32>) shift(dense<3.0> : tensor<1xf32>) mean(dense<0.0> : tensor<1xf32>) variance(dense<1.0> : tensor<1xf32>) epsilon 0.0 : f64 : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  func.return %2 : tensor<1x1x1xf32>
}

// CHECK:      %[[A:.*]] = ann.conv2d %x weight(dense<1.000000e+01> : tensor<1x1x1x1xf32>) bias(dense<3.000000e+00> : tensor<1xf32>)
// CHECK-NEXT: %[[B:.*]] = ann.affine %x scale(dense<2.000000e+00>
// CHECK-NEXT: %[[Y:.*]] = ann.add %[[A]], %[[B]]
// CHECK-NEXT: func.return %[[Y]]
