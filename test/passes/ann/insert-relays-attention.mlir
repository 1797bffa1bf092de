// RUN: nc-opt %s -p insert-relays --validate | filecheck %s

// A softmax takes the charge of a product as it is; what multiplies its shares is a product that is said.

func.func @main(%arg: tensor<2x3xf32>) -> tensor<2x1xf32> {
  %x = ann.input %arg : tensor<2x3xf32> -> tensor<2x3xf32>
  %0 = ann.transpose %x permutation [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
  %1 = ann.matmul %x, %0 : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x2xf32>
  %2 = ann.softmax %1 axis 1 : tensor<2x2xf32> -> tensor<2x2xf32>
  %3 = ann.matmul %2, %x : (tensor<2x2xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %4 = ann.linear %3 weight(dense<0.5> : tensor<1x3xf32>) : tensor<2x3xf32> -> tensor<2x1xf32>
  func.return %4 : tensor<2x1xf32>
}

// CHECK:      %1 = ann.matmul %x, %0
// CHECK-NEXT: %2 = ann.relay %1
// CHECK-NEXT: %3 = ann.softmax %2
// CHECK-NEXT: %4 = ann.matmul %3, %x
// CHECK-NEXT: %5 = ann.relay %4
// CHECK-NEXT: %6 = ann.linear %5
