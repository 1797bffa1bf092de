// RUN: nc-opt %s -p decompose-attention --validate | filecheck %s

// Where the model spells attention out, its positive scale moves into the softmax, onto a scale that is there already.

func.func @main(%q: tensor<2x3xf32>, %k: tensor<3x2xf32>) -> tensor<2x2xf32> {
  %0 = ann.matmul %q, %k : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x2xf32>
  %1 = ann.affine %0 scale(dense<0.5> : tensor<1xf32>) : tensor<2x2xf32> -> tensor<2x2xf32>
  %2 = ann.softmax %1 axis 1 scale 0.5 : f64 : tensor<2x2xf32> -> tensor<2x2xf32>
  func.return %2 : tensor<2x2xf32>
}

// CHECK:      %0 = ann.matmul %q, %k
// CHECK-NEXT: ann.softmax %0 axis 1 scale 2.500000e-01 : f64
// CHECK-NOT:  ann.affine
