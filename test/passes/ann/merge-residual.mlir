// RUN: nc-opt %s -p merge-residual --validate | filecheck %s

// A residual block: the convolution and the identity shortcut are two synapses of one neuron layer, which takes the bias.

func.func @main(%x: tensor<2x2x2xf32>) -> tensor<2x2x2xf32> {
  %0 = ann.conv2d %x weight(dense<0.5> : tensor<2x2x1x1xf32>) bias(dense<[1.0, 2.0]> : tensor<2xf32>) : tensor<2x2x2xf32> -> tensor<2x2x2xf32>
  %1 = ann.add %0, %x : (tensor<2x2x2xf32>, tensor<2x2x2xf32>) -> tensor<2x2x2xf32>
  %2 = ann.relu %1 {nc.origin = "block.relu"} : tensor<2x2x2xf32> -> tensor<2x2x2xf32>
  func.return %2 : tensor<2x2x2xf32>
}

// CHECK: %[[A:.*]] = ann.conv2d %x weight(dense<5.000000e-01> : tensor<2x2x1x1xf32>) :
// CHECK-NEXT: %[[B:.*]] = ann.diagonal %x weight(dense<1.000000e+00> : tensor<2x1x1xf32>)
// CHECK-NEXT: ann.neuron %[[A]], %[[B]] bias(dense<{{\[\[\[}}1.000000e+00]], {{\[\[}}2.000000e+00]]]> : tensor<2x1x1xf32>) {nc.origin = "block.relu"}
