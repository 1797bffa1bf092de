// RUN: nc-opt %s -p insert-relays --validate | filecheck %s

// What neurons say is read as it is: behind rectifiers, moved, pooled or joined. Of sums in front of a rectifier none is
// said.

func.func @main(%arg: tensor<1x2x2xf32>) -> tensor<1xf32> {
  %x = ann.input %arg : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %0 = ann.conv2d %x weight(dense<0.5> : tensor<1x1x1x1xf32>) : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %1 = ann.add %0, %x : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  %2 = ann.relu %1 : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %3 = ann.concat %2, %x axis 0 : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> tensor<2x2x2xf32>
  %4 = ann.max_pool2d %3 kernel [2, 2] : tensor<2x2x2xf32> -> tensor<2x1x1xf32>
  %5 = ann.reshape %4 : tensor<2x1x1xf32> -> tensor<2xf32>
  %6 = ann.linear %5 weight(dense<0.5> : tensor<1x2xf32>) : tensor<2xf32> -> tensor<1xf32>
  func.return %6 : tensor<1xf32>
}

// CHECK-NOT: ann.relay
