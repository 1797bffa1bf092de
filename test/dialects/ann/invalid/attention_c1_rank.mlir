// RUN: not nc-opt %s 2>&1 | filecheck %s

// Attention is over two axes.

func.func @main(%x: tensor<3xf32>) {
  %0 = ann.attention %x, %x, %x scale 1.0 : f64 : (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  func.return
}

// CHECK: 'ann.attention' query (3,), key (3,) and value (3,) do not match
