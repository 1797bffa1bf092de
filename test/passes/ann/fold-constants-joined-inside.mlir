// RUN: nc-opt %s -p fold-constants --validate | filecheck %s

// Constants on both sides of what is joined are padding; one between two tensors stays, and so does a join of tensors.

func.func @main(%x: tensor<1xf32>, %y: tensor<1xf32>) -> tensor<6xf32> {
  %a = ann.constant dense<1.0> : tensor<1xf32> -> tensor<1xf32>
  %b = ann.constant dense<2.0> : tensor<1xf32> -> tensor<1xf32>
  %c = ann.constant dense<3.0> : tensor<2xf32> -> tensor<2xf32>
  %0 = ann.concat %a, %x, %b, %y, %c axis 0 : (tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<2xf32>) -> tensor<6xf32>
  func.return %0 : tensor<6xf32>
}

// CHECK:      %b = ann.constant
// CHECK-NEXT: [[INNER:%.+]] = ann.concat %x, %b, %y axis 0
// CHECK-NEXT: [[PADDED:%.+]] = ann.pad [[INNER]] low [1] high [2]
// CHECK-NEXT: ann.affine [[PADDED]] shift(dense<[1.000000e+00, 0.000000e+00, 0.000000e+00, 0.000000e+00, 3.000000e+00, 3.000000e+00]>
