// RUN: not nc-opt %s --load-plugin %S/Inputs/plugin.py -p plugin-break 2>&1 | filecheck %s

// CHECK: breaking_pass.mlir:6:3: error: 'ann.relu' operand #0 is used where it is not defined (after pass 'plugin-break')
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = ann.relu %x : tensor<4xf32> -> tensor<4xf32>
  %z = ann.relu %y : tensor<4xf32> -> tensor<4xf32>
  func.return %z : tensor<4xf32>
}
