// RUN: not nc-opt %s 2>&1 | filecheck %s

// A slice is not empty and lies inside.

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %r = ann.slice %x starts [1] stops [5] steps [1] : tensor<4xf32> -> tensor<4xf32>
  func.return %r : tensor<4xf32>
}

// CHECK: 1:5:1 is empty or outside 0:4
