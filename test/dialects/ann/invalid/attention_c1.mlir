// RUN: not nc-opt %s 2>&1 | filecheck %s

// There is one value per key.

func.func @main(%x: tensor<2x3xf32>, %y: tensor<4x3xf32>) -> tensor<2x3xf32> {
  %r = ann.attention %x, %y, %x scale 1.0 : f64 : (tensor<2x3xf32>, tensor<4x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  func.return %r : tensor<2x3xf32>
}

// CHECK: query (2, 3), key (4, 3) and value (2, 3) do not match
