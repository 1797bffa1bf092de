// RUN: nc-opt %s -p hoist-activations --validate | filecheck %s

// A rectifier moves up past poolings and index maps, one after the other.

func.func @main(%x: tensor<1x4x4xf32>) -> tensor<4xf32> {
  %0 = ann.max_pool2d %x kernel [2, 2] stride [2, 2] : tensor<1x4x4xf32> -> tensor<1x2x2xf32>
  %1 = ann.transpose %0 permutation [0, 2, 1] : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %2 = ann.reshape %1 : tensor<1x2x2xf32> -> tensor<4xf32>
  %3 = ann.relu %2 : tensor<4xf32> -> tensor<4xf32>
  func.return %3 : tensor<4xf32>
}

// CHECK:      @main
// CHECK-NEXT: %[[R:.*]] = ann.relu %x
// CHECK-NEXT: %[[M:.*]] = ann.max_pool2d %[[R]]
// CHECK-NEXT: %[[T:.*]] = ann.transpose %[[M]]
// CHECK-NEXT: %[[V:.*]] = ann.reshape %[[T]]
// CHECK-NEXT: func.return %[[V]]
