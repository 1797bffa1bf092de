// RUN: not nc-opt %s 2>&1 | filecheck %s

// The number of elements stays.

func.func @main(%x: tensor<2x3xf32>) -> tensor<5xf32> {
  %r = ann.reshape %x : tensor<2x3xf32> -> tensor<5xf32>
  func.return %r : tensor<5xf32>
}

// CHECK: (2, 3) has 6 elements, (5,) has 5
