// RUN: nc-opt %s -p merge-residual --validate | filecheck %s

// A rectified matrix product without a bias is a neuron layer of one current.

func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = ann.linear %x weight(dense<0.5> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.relu %0 : tensor<2xf32> -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

// CHECK:      %[[C:.*]] = ann.linear %x weight(dense<5.000000e-01> : tensor<2x2xf32>) :
// CHECK-NEXT: ann.neuron %[[C]] : (tensor<2xf32>) -> tensor<2xf32>
