// RUN: not nc-opt %s 2>&1 | filecheck %s

// A constant has its value's shape.

func.func @main() -> tensor<3xf32> {
  %r = ann.constant dense<1.0> : tensor<2xf32> -> tensor<3xf32>
  func.return %r : tensor<3xf32>
}

// CHECK: expected a result of shape (2,), found (3,)
