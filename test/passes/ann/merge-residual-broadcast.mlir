// RUN: nc-opt %s -p merge-residual --validate | filecheck %s

// A summand that broadcasts is no current of every neuron: the sum stays, for the level to refuse.

func.func @main(%x: tensor<2xf32>, %y: tensor<1xf32>) -> tensor<2xf32> {
  %0 = ann.add %x, %y : (tensor<2xf32>, tensor<1xf32>) -> tensor<2xf32>
  %1 = ann.relu %0 : tensor<2xf32> -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

// CHECK: %[[S:.*]] = ann.add %x, %y
// CHECK: ann.diagonal %[[S]]
