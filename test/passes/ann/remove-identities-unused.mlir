// RUN: nc-opt %s -p remove-identities --validate | filecheck %s

// What nobody reads goes.

func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  %0 = ann.relu %x : tensor<1xf32> -> tensor<1xf32>
  %1 = ann.sigmoid %0 : tensor<1xf32> -> tensor<1xf32>
  func.return %x : tensor<1xf32>
}

// CHECK:      @main
// CHECK-NEXT: func.return %x
