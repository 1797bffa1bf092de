// RUN: not nc-opt %s 2>&1 | filecheck %s

// An activation keeps the type.

func.func @main(%x: tensor<2xf32>) -> tensor<3xf32> {
  %r = ann.relu %x : tensor<2xf32> -> tensor<3xf32>
  func.return %r : tensor<3xf32>
}

// CHECK: the type changes from tensor<2xf32> to tensor<3xf32>
