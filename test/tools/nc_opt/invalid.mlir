// RUN: not nc-opt %s 2>&1 | filecheck %s

// CHECK: invalid.mlir:5:3: error: 'ann.relu'
func.func @main(%x: tensor<4xf32>) -> tensor<5xf32> {
  %y = ann.relu %x : tensor<4xf32> -> tensor<5xf32>
  func.return %y : tensor<5xf32>
}
