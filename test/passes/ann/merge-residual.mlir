// RUN: nc-opt %s -p merge-residual --validate | filecheck %s

// A convolution and a shortcut meet in one neuron layer: the shortcut is a synapse of ones, the bias is the neuron's.

func.func @main(%x: tensor<2x1x1xf32>) -> tensor<2x1x1xf32> {
  %0 = ann.conv2d %x weight(dense<0.5> : tensor<2x2x1x1xf32>) bias(dense<[3.0, 4.0]> : tensor<2xf32>) : tensor<2x1x1xf32> -> tensor<2x1x1xf32>
  %1 = ann.add %0, %x : (tensor<2x1x1xf32>, tensor<2x1x1xf32>) -> tensor<2x1x1xf32>
  %2 = ann.relu %1 : tensor<2x1x1xf32> -> tensor<2x1x1xf32>
  func.return %2 : tensor<2x1x1xf32>
}

// CHECK:      @main
// CHECK-NEXT: %[[C:.*]] = ann.conv2d %x weight(dense<5.000000e-01> : tensor<2x2x1x1xf32>) : tensor
// CHECK-NEXT: %[[D:.*]] = ann.diagonal %x weight(dense<1.000000e+00> : tensor<2x1x1xf32>)
// CHECK-NEXT: ann.neuron %[[C]], %[[D]] bias(dense<{{\[\[\[}}3.000000e+00]], {{\[\[}}4.000000e+00]]]> : tensor<2x1x1xf32>)
// CHECK-NEXT: func.return
