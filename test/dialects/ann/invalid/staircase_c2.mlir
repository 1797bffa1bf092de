// RUN: not nc-opt %s 2>&1 | filecheck %s

// Counts go from zero to the number of levels.

func.func @main(%x: tensor<2xi32>) -> tensor<2x!ann.count<0, 4>> {
  %r = ann.staircase %x bias(dense<0> : tensor<1xi32>) threshold(dense<2> : tensor<1xi32>) initial(dense<1> : tensor<1xi32>) scale(dense<1.0> : tensor<1xf64>) levels 3 : (tensor<2xi32>) -> tensor<2x!ann.count<0, 4>>
  func.return %r : tensor<2x!ann.count<0, 4>>
}

// CHECK: expected a result of !ann.count<0, 3> with positive levels
