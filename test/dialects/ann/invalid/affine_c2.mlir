// RUN: not nc-opt %s 2>&1 | filecheck %s

// A scaled float is a float.

func.func @main(%x: tensor<1xf32>) {
  %0 = ann.affine %x : tensor<1xf32> -> tensor<1xi32>
  func.return
}

// CHECK: 'ann.affine' the element type changes from tensor<1xf32> to tensor<1xi32>
