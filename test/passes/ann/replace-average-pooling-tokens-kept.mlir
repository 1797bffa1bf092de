// RUN: nc-opt %s --split-input-file -p replace-average-pooling --validate | filecheck %s

// The mean keeps an axis of one where it did; the mean over features is none of tokens, and stays.

// CHECK-LABEL: @keep
// CHECK:       ann.sum_pool2d
// CHECK-NEXT:  [[MEAN:%.+]] = ann.reshape %{{.*}} : tensor<2x1x1xf32> -> tensor<1x2xf32>
// CHECK-NEXT:  ann.linear [[MEAN]] weight(dense<2.000000e+00>
func.func @keep(%x: tensor<4x2xf32>) -> tensor<1x1xf32> {
  %0 = ann.mean %x axes [0] keep true : tensor<4x2xf32> -> tensor<1x2xf32>
  %1 = ann.linear %0 weight(dense<8.0> : tensor<1x2xf32>) : tensor<1x2xf32> -> tensor<1x1xf32>
  func.return %1 : tensor<1x1xf32>
}

// -----

// CHECK-LABEL: @features
// CHECK:       ann.mean %x axes [1]
func.func @features(%x: tensor<4x2xf32>) -> tensor<4xf32> {
  %0 = ann.mean %x axes [1] : tensor<4x2xf32> -> tensor<4xf32>
  func.return %0 : tensor<4xf32>
}
