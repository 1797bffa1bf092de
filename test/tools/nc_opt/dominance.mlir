// RUN: not nc-opt %s 2>&1 | filecheck %s
// RUN: nc-opt %s --disable-verify | filecheck %s --check-prefix=UNCHECKED

// CHECK: dominance.mlir:8:3: error: 'ann.relu' operand #0 is used where it is not defined
// UNCHECKED: %y = ann.relu %z
// UNCHECKED: %z = ann.relu %x
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = ann.relu %z : tensor<4xf32> -> tensor<4xf32>
  %z = ann.relu %x : tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}
