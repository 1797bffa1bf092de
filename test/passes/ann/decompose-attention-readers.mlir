// RUN: nc-opt %s -p decompose-attention --validate | filecheck %s

// A scale that others read too stays for them.

func.func @main(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %0 = ann.affine %x scale(dense<0.5> : tensor<1xf32>) : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.softmax %0 axis 0 : tensor<2xf32> -> tensor<2xf32>
  func.return %1, %0 : tensor<2xf32>, tensor<2xf32>
}

// CHECK:      %0 = ann.affine %x
// CHECK-NEXT: %1 = ann.softmax %x axis 0 scale 5.000000e-01 : f64
// CHECK-NEXT: func.return %1, %0
