// RUN: nc-opt %s -p merge-residual --validate | filecheck %s

// A sum that something else reads as well stays a sum, for the level to refuse.

func.func @main(%x: tensor<1xf32>) -> (tensor<1xf32>, tensor<1xf32>) {
  %0 = ann.linear %x weight(dense<2.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
  %1 = ann.add %0, %x : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  %2 = ann.relu %1 : tensor<1xf32> -> tensor<1xf32>
  func.return %1, %2 : tensor<1xf32>, tensor<1xf32>
}

// CHECK: %[[SUM:.*]] = ann.add
// CHECK: ann.diagonal %[[SUM]]
// CHECK: ann.neuron
