// RUN: not nc-opt %s 2>&1 | filecheck %s

// The element type stays.

func.func @main(%x: tensor<2xf32>) -> tensor<2xi32> {
  %r = ann.reshape %x : tensor<2xf32> -> tensor<2xi32>
  func.return %r : tensor<2xi32>
}

// CHECK: the element type changes from tensor<2xf32> to tensor<2xi32>
