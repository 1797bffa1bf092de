// RUN: nc-opt %s -p fuse-pad --validate | filecheck %s

// Every reader that can pad by itself does; the padding stays for those that cannot.

func.func @main(%x: tensor<1x2x2xf32>) -> (tensor<1x2x2xf32>, tensor<1x2x2xf32>, tensor<1x3x3xf32>) {
  %0 = ann.pad %x low [0, 0, 0] high [0, 1, 1] : tensor<1x2x2xf32> -> tensor<1x3x3xf32>
  %1 = ann.conv2d %0 weight(dense<1.0> : tensor<1x1x2x2xf32>) : tensor<1x3x3xf32> -> tensor<1x2x2xf32>
  %2 = ann.sum_pool2d %0 kernel [2, 2] : tensor<1x3x3xf32> -> tensor<1x2x2xf32>
  %3 = ann.relu %0 : tensor<1x3x3xf32> -> tensor<1x3x3xf32>
  func.return %1, %2, %3 : tensor<1x2x2xf32>, tensor<1x2x2xf32>, tensor<1x3x3xf32>
}

// CHECK:      %[[P:.*]] = ann.pad %x
// CHECK-NEXT: ann.conv2d %x {{.*}} padding [0, 1, 0, 1]
// CHECK-NEXT: ann.sum_pool2d %x {{.*}} padding [0, 1, 0, 1]
// CHECK-NEXT: ann.relu %[[P]]
