// RUN: nc-opt %s --split-input-file -p remove-identities --validate | filecheck %s

// What is rectified need not be rectified again, also behind poolings and index maps.

// CHECK-LABEL: @twice
// CHECK-NEXT: %[[R:.*]] = ann.relu %x
// CHECK-NEXT: %[[M:.*]] = ann.max_pool2d %[[R]]
// CHECK-NEXT: %[[V:.*]] = ann.reshape %[[M]]
// CHECK-NEXT: func.return %[[V]]
func.func @twice(%x: tensor<1x2x2xf32>) -> tensor<1xf32> {
  %0 = ann.relu %x : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %1 = ann.max_pool2d %0 kernel [2, 2] : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
  %2 = ann.reshape %1 : tensor<1x1x1xf32> -> tensor<1xf32>
  %3 = ann.relu %2 : tensor<1xf32> -> tensor<1xf32>
  func.return %3 : tensor<1xf32>
}

// -----

// CHECK-LABEL: @once
// CHECK-NEXT: ann.max_pool2d %x
// CHECK-NEXT: ann.relu
func.func @once(%x: tensor<1x2x2xf32>) -> tensor<1x1x1xf32> {
  %0 = ann.max_pool2d %x kernel [2, 2] : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
  %1 = ann.relu %0 : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  func.return %1 : tensor<1x1x1xf32>
}
