// RUN: nc-opt %s -p merge-residual --validate | filecheck %s

// The scale of a shortcut becomes its synapse, the shift goes into the neuron's bias.

func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = ann.affine %x scale(dense<[2.0, 3.0]> : tensor<2xf32>) shift(dense<1.0> : tensor<1xf32>) : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.relu %0 : tensor<2xf32> -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

// CHECK:      %[[D:.*]] = ann.diagonal %x weight(dense<[2.000000e+00, 3.000000e+00]> : tensor<2xf32>)
// CHECK-NEXT: ann.neuron %[[D]] bias(dense<1.000000e+00> : tensor<2xf32>)
