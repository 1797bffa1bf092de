// RUN: nc-opt %s -p hoist-activations --validate | filecheck %s

// Zeros stay zeros when they are rectified; slices keep what they pick.

func.func @main(%x: tensor<3xf32>) -> tensor<4xf32> {
  %0 = ann.slice %x starts [0] stops [3] steps [2] : tensor<3xf32> -> tensor<2xf32>
  %1 = ann.pad %0 low [1] high [1] : tensor<2xf32> -> tensor<4xf32>
  %2 = ann.relu %1 : tensor<4xf32> -> tensor<4xf32>
  func.return %2 : tensor<4xf32>
}

// CHECK:      %[[R:.*]] = ann.relu %x
// CHECK-NEXT: %[[S:.*]] = ann.slice %[[R]]
// CHECK-NEXT: ann.pad %[[S]]
