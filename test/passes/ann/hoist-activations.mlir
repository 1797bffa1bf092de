// RUN: nc-opt %s --split-input-file -p hoist-activations --validate | filecheck %s

// Past a pooling and index maps up to the convolution, with the location and what is noted on the activation.

// CHECK-LABEL: @chain
// CHECK-NEXT: %[[C:.*]] = ann.conv2d %x
// CHECK-NEXT: %[[R:.*]] = ann.clamp %[[C]] minimum 0.000000e+00 : f64 maximum 6.000000e+00 : f64 {nc.statistics = {}} : tensor<1x3x3xf32>
// CHECK-NEXT: %[[M:.*]] = ann.max_pool2d %[[R]] kernel [2, 2] :
// CHECK-NEXT: %[[T:.*]] = ann.transpose %[[M]] permutation [1, 0, 2]
// CHECK-NEXT: %[[V:.*]] = ann.reshape %[[T]] {nc.origin = "relu"}
// CHECK-NEXT: func.return %[[V]]
func.func @chain(%x: tensor<1x3x3xf32>) -> tensor<4xf32> {
  %0 = ann.conv2d %x weight(dense<1.0> : tensor<1x1x1x1xf32>) : tensor<1x3x3xf32> -> tensor<1x3x3xf32>
  %1 = ann.max_pool2d %0 kernel [2, 2] : tensor<1x3x3xf32> -> tensor<1x2x2xf32>
  %2 = ann.transpose %1 permutation [1, 0, 2] : tensor<1x2x2xf32> -> tensor<2x1x2xf32>
  %3 = ann.reshape %2 : tensor<2x1x2xf32> -> tensor<4xf32>
  %4 = ann.clamp %3 minimum 0.0 : f64 maximum 6.0 : f64 {nc.origin = "relu", nc.statistics = {}} : tensor<4xf32> -> tensor<4xf32>
  func.return %4 : tensor<4xf32>
}

// -----

// Behind a concatenation, every branch gets its own; zeros that pad stay zeros.

// CHECK-LABEL: @branches
// CHECK-NEXT: %[[A:.*]] = ann.relu %x
// CHECK-NEXT: %[[B:.*]] = ann.relu %y
// CHECK-NEXT: %[[C:.*]] = ann.concat %[[A]], %[[B]] axis 0
// CHECK-NEXT: ann.pad %[[C]]
func.func @branches(%x: tensor<1xf32>, %y: tensor<2xf32>) -> tensor<4xf32> {
  %0 = ann.concat %x, %y axis 0 : (tensor<1xf32>, tensor<2xf32>) -> tensor<3xf32>
  %1 = ann.pad %0 low [1] high [0] : tensor<3xf32> -> tensor<4xf32>
  %2 = ann.relu %1 : tensor<4xf32> -> tensor<4xf32>
  func.return %2 : tensor<4xf32>
}
