// RUN: nc-opt %s -p merge-residual --validate | filecheck %s

// A rectifier on an input is a neuron layer behind a synapse of ones.

func.func @main(%x: tensor<2x1x1xf32>) -> tensor<2x1x1xf32> {
  %0 = ann.input %x : tensor<2x1x1xf32> -> tensor<2x1x1xf32>
  %1 = ann.relu %0 : tensor<2x1x1xf32> -> tensor<2x1x1xf32>
  func.return %1 : tensor<2x1x1xf32>
}

// CHECK:      %[[X:.*]] = ann.input %x
// CHECK-NEXT: %[[D:.*]] = ann.diagonal %[[X]] weight(dense<1.000000e+00> : tensor<2x1x1xf32>)
// CHECK-NEXT: ann.neuron %[[D]] :
