// RUN: nc-opt %s -p insert-relays --validate | filecheck %s

// Two activation functions of one sum act on a relay each: it is no relay that others read.

func.func @main(%arg: tensor<2xf32>) -> tensor<1xf32> {
  %x = ann.input %arg : tensor<2xf32> -> tensor<2xf32>
  %0 = ann.linear %x weight(dense<0.5> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.sigmoid %0 : tensor<2xf32> -> tensor<2xf32>
  %2 = ann.tanh %0 : tensor<2xf32> -> tensor<2xf32>
  %3 = ann.concat %1, %2 axis 0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
  %4 = ann.linear %3 weight(dense<0.5> : tensor<1x4xf32>) : tensor<4xf32> -> tensor<1xf32>
  func.return %4 : tensor<1xf32>
}

// CHECK:      %0 = ann.linear %x
// CHECK-NEXT: %1 = ann.relay %0
// CHECK-NEXT: %2 = ann.sigmoid %1
// CHECK-NEXT: %3 = ann.relay %0
// CHECK-NEXT: %4 = ann.tanh %3
