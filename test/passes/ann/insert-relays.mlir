// RUN: nc-opt %s -p insert-relays --validate | filecheck %s

// Between two linear operations stands a relay; behind the last layer none.

func.func @main(%arg: tensor<2xf32>) -> tensor<2xf32> {
  %x = ann.input %arg : tensor<2xf32> -> tensor<2xf32>
  %0 = ann.linear %x weight(dense<0.5> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.linear %0 weight(dense<0.25> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
  %2 = ann.softmax %1 axis 0 : tensor<2xf32> -> tensor<2xf32>
  func.return %2 : tensor<2xf32>
}

// CHECK:      %0 = ann.linear %x
// CHECK-NEXT: %1 = ann.relay %0 : (tensor<2xf32>) -> tensor<2xf32>
// CHECK-NEXT: %2 = ann.linear %1
// CHECK-NEXT: %3 = ann.softmax %2
// CHECK-NEXT: func.return %3
