// RUN: nc-opt %s -p remove-identities --validate | filecheck %s

// A rectifier that will round what is rectified already does something to it.

// CHECK:      %[[R:.*]] = ann.relu %x {nc.trained}
// CHECK-NEXT: ann.relu %[[R]] {nc.trained}
func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  %0 = ann.relu %x {nc.trained} : tensor<1xf32> -> tensor<1xf32>
  %1 = ann.relu %0 {nc.trained} : tensor<1xf32> -> tensor<1xf32>
  func.return %1 : tensor<1xf32>
}
