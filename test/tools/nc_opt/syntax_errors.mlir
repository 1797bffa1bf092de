// RUN: not nc-opt %s 2>&1 | filecheck %s
// CHECK-NOT: Traceback
// CHECK: syntax_errors.mlir:5:36: error: Expected '->'
func.func @main(%x: tensor<4xf32>) {
  %y = ann.relu %x : tensor<4xf32> tensor<4xf32>
}
