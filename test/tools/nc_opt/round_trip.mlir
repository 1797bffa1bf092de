// RUN: nc-opt %s | nc-opt | filecheck %s
// RUN: nc-opt %s --print-op-generic | nc-opt | filecheck %s

// CHECK:      builtin.module {
// CHECK-NEXT:   func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT:     %y = ann.relu %x : tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:     func.return %y : tensor<4xf32>
// CHECK-NEXT:   }
// CHECK-NEXT: }
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = ann.relu %x : tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}
