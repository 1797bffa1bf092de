// RUN: nc-opt %s -p merge-residual --validate | filecheck %s

// x + x is one synapse with a weight of two.

func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  %0 = ann.add %x, %x : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  %1 = ann.relu %0 : tensor<1xf32> -> tensor<1xf32>
  func.return %1 : tensor<1xf32>
}

// CHECK:      %[[D:.*]] = ann.diagonal %x weight(dense<2.000000e+00>
// CHECK-NEXT: ann.neuron %[[D]] :
