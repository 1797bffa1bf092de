// RUN: nc-opt %s -p insert-relays --validate | filecheck %s

// A sum that two operations read (a pre-activation block) is said once, for both; a sum of it and others is not.

func.func @main(%arg: tensor<2xf32>) -> tensor<1xf32> {
  %x = ann.input %arg : tensor<2xf32> -> tensor<2xf32>
  %0 = ann.linear %x weight(dense<0.5> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.add %0, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %2 = ann.relu %1 : tensor<2xf32> -> tensor<2xf32>
  %3 = ann.linear %2 weight(dense<0.25> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
  %4 = ann.add %1, %3 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %5 = ann.relu %4 : tensor<2xf32> -> tensor<2xf32>
  %6 = ann.linear %5 weight(dense<0.5> : tensor<1x2xf32>) : tensor<2xf32> -> tensor<1xf32>
  func.return %6 : tensor<1xf32>
}

// CHECK:      %1 = ann.add %0, %x
// CHECK-NEXT: %2 = ann.relay %1
// CHECK-NEXT: %3 = ann.relu %2
// CHECK-NEXT: %4 = ann.linear %3
// CHECK-NEXT: %5 = ann.add %2, %4
// CHECK-NEXT: %6 = ann.relu %5
// CHECK-NOT:  ann.relay
