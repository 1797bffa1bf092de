// RUN: nc-opt %s -p remove-identities --validate | filecheck %s

// A slice of a slice is one slice: [1:9:2][1:4:2] picks elements 3 and 7.

func.func @main(%x: tensor<9xf32>) -> tensor<2xf32> {
  %0 = ann.slice %x starts [1] stops [9] steps [2] : tensor<9xf32> -> tensor<4xf32>
  %1 = ann.slice %0 starts [1] stops [4] steps [2] : tensor<4xf32> -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

// CHECK:      @main
// CHECK-NEXT: ann.slice %x starts [3] stops [8] steps [4] : tensor<9xf32> -> tensor<2xf32>
// CHECK-NEXT: func.return
