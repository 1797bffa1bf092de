// RUN: nc-opt %s | nc-opt | filecheck %s

// Synapses print and parse; what is not said has its default and is not printed.

// CHECK-LABEL: @conv2d
func.func @conv2d(%x: tensor<2x4x4xf32>) -> tensor<2x1x2xf32> {
  // CHECK-NEXT: ann.conv2d %x weight(dense<1.000000e+00> : tensor<2x2x1x1xf32>) : tensor<2x4x4xf32> -> tensor<2x4x4xf32>
  %0 = ann.conv2d %x weight(dense<1.0> : tensor<2x2x1x1xf32>) stride [1, 1] padding [0, 0, 0, 0] dilation [1, 1] groups 1 : tensor<2x4x4xf32> -> tensor<2x4x4xf32>
  // CHECK-NEXT: ann.conv2d %0 weight(dense<1.000000e+00> : tensor<2x1x3x2xf32>) bias(dense<2.000000e+00> : tensor<2xf32>) stride [3, 2] padding [1, 0, 0, 1] dilation [2, 1] groups 2 : tensor<2x4x4xf32> -> tensor<2x1x2xf32>
  %1 = ann.conv2d %0 weight(dense<1.0> : tensor<2x1x3x2xf32>) bias(dense<2.0> : tensor<2xf32>) stride [3, 2] padding [1, 0, 0, 1] dilation [2, 1] groups 2 : tensor<2x4x4xf32> -> tensor<2x1x2xf32>
  func.return %1 : tensor<2x1x2xf32>
}

// CHECK-LABEL: @linear
func.func @linear(%x: tensor<3x2xf32>) -> tensor<3x1xf32> {
  // CHECK-NEXT: ann.linear %x weight(dense<1.000000e+00> : tensor<4x2xf32>) : tensor<3x2xf32> -> tensor<3x4xf32>
  %0 = ann.linear %x weight(dense<1.0> : tensor<4x2xf32>) : tensor<3x2xf32> -> tensor<3x4xf32>
  // CHECK-NEXT: ann.linear %0 weight(dense<1.000000e+00> : tensor<1x4xf32>) bias(dense<2.000000e+00> : tensor<1xf32>)
  %1 = ann.linear %0 weight(dense<1.0> : tensor<1x4xf32>) bias(dense<2.0> : tensor<1xf32>) : tensor<3x4xf32> -> tensor<3x1xf32>
  func.return %1 : tensor<3x1xf32>
}

// CHECK-LABEL: @diagonal
func.func @diagonal(%x: tensor<2x4x4xf32>) -> tensor<2x4x4xf32> {
  // CHECK-NEXT: ann.diagonal %x weight(dense<1.000000e+00> : tensor<2x1x1xf32>) : tensor<2x4x4xf32> -> tensor<2x4x4xf32>
  %0 = ann.diagonal %x weight(dense<1.0> : tensor<2x1x1xf32>) : tensor<2x4x4xf32> -> tensor<2x4x4xf32>
  func.return %0 : tensor<2x4x4xf32>
}

// Counts times integers are accumulators.

// CHECK-LABEL: @integers
func.func @integers(%x: tensor<1x2x2x!ann.count<0, 3>>) -> tensor<1x2x2xi32> {
  // CHECK-NEXT: ann.conv2d %x weight(dense<3> : tensor<1x1x1x1xi8>) bias(dense<7> : tensor<1xi32>) : tensor<1x2x2x!ann.count<0, 3>> -> tensor<1x2x2xi32>
  %0 = ann.conv2d %x weight(dense<3> : tensor<1x1x1x1xi8>) bias(dense<7> : tensor<1xi32>) : tensor<1x2x2x!ann.count<0, 3>> -> tensor<1x2x2xi32>
  func.return %0 : tensor<1x2x2xi32>
}
