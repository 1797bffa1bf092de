// RUN: nc-opt %s -p fold-batch-norm --validate | filecheck %s

// 2 (x - c(x)) + 3 is 2 x - (2 c(x) - 3): where the subtrahend is linear, it takes the shift with the other sign.

func.func @main(%x: tensor<1x1x1xf32>) -> tensor<1x1x1xf32> {
  %0 = ann.conv2d %x weight(dense<5.0> : tensor<1x1x1x1xf32>) : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  %1 = ann.sub %x, %0 : (tensor<1x1x1xf32>, tensor<1x1x1xf32>) -> tensor<1x1x1xf32>
  %2 = ann.affine %1 scale(dense<2.0> : tensor<1xf32>) shift(dense<3.0> : tensor<1xf32>) : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  func.return %2 : tensor<1x1x1xf32>
}

// CHECK:      %[[A:.*]] = ann.affine %x scale(dense<2.000000e+00>{{.*}}) : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
// CHECK:      %[[B:.*]] = ann.conv2d %x weight(dense<1.000000e+01> : tensor<1x1x1x1xf32>) bias(dense<-3.000000e+00> : tensor<1xf32>)
// CHECK-NEXT: %[[Y:.*]] = ann.sub %[[A]], %[[B]]
// CHECK-NEXT: func.return %[[Y]]
