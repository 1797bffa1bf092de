// RUN: nc-opt %s -p fold-constants --validate | filecheck %s

// An operation of constants is a constant, and a sum with it a shift.

func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = ann.constant dense<[1.0, -2.0]> : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.constant dense<[1.0, 1.0]> : tensor<2xf32> -> tensor<2xf32>
  %2 = ann.mul %0, %1 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %3 = ann.relu %2 : tensor<2xf32> -> tensor<2xf32>
  %4 = ann.add %3, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %4 : tensor<2xf32>
}

// CHECK:      @main
// CHECK-NEXT: %[[Y:.*]] = ann.affine %x shift(dense<[1.000000e+00, 0.000000e+00]> : tensor<2xf32>)
// CHECK-NEXT: func.return %[[Y]]
