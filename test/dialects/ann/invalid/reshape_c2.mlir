// RUN: not nc-opt %s 2>&1 | filecheck %s

// The element type stays.

func.func @main(%x: tensor<2xf32>) -> tensor<2xi32> {
  %r = ann.reshape %x : tensor<2xf32> -> tensor<2xi32>
  func.return %r : tensor<2xi32>
}

// CHECK: expected one element type, found f32, i32
