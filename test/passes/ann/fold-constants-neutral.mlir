// RUN: nc-opt %s -p fold-constants --validate | filecheck %s

// A scale of one and a shift of zero go; what is left keeps its name.

func.func @main(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %0 = ann.affine %x scale(dense<1.0> : tensor<2xf32>) shift(dense<0.0> : tensor<1xf32>) : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.affine %0 scale(dense<1.0> : tensor<1xf32>) shift(dense<2.0> : tensor<1xf32>) {nc.origin = "a"} : tensor<2xf32> -> tensor<2xf32>
  %2 = ann.affine %0 scale(dense<3.0> : tensor<1xf32>) shift(dense<0.0> : tensor<2xf32>) {nc.origin = "b"} : tensor<2xf32> -> tensor<2xf32>
  func.return %1, %2 : tensor<2xf32>, tensor<2xf32>
}

// CHECK:      @main
// CHECK-NEXT: ann.affine %x shift(dense<2.000000e+00> : tensor<1xf32>) {nc.origin = "a"}
// CHECK-NEXT: ann.affine %x scale(dense<3.000000e+00> : tensor<1xf32>) {nc.origin = "b"}
// CHECK-NEXT: func.return
