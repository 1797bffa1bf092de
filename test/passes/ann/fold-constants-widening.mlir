// RUN: nc-opt %s -p fold-constants --validate | filecheck %s

// A constant larger than the value it meets is no shift.

func.func @main(%x: tensor<1xf32>) -> tensor<2xf32> {
  %0 = ann.constant dense<[1.0, -2.0]> : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.add %x, %0 : (tensor<1xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

// CHECK: ann.constant
// CHECK: ann.add
