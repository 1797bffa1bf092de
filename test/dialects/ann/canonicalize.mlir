// RUN: nc-opt %s --split-input-file -p canonicalize | filecheck %s
// RUN: nc-opt %s --split-input-file -p remove-identities --validate | filecheck %s

// One value keeps its origin whoever simplifies: `canonicalize` knows nothing of origins.

// CHECK-LABEL: @maps
// CHECK-NEXT: %[[A:.*]] = ann.reshape %x {nc.origin = "a"} : tensor<2x3x1xf32> -> tensor<3x2xf32>
// CHECK-NEXT: %[[B:.*]] = ann.transpose %[[A]] permutation [1, 0] {nc.origin = "b"}
// CHECK-NEXT: %[[C:.*]] = ann.slice %[[B]] starts [0, 1] stops [1, 2] steps [2, 1] {nc.origin = "c"} : tensor<2x3xf32> -> tensor<1x1xf32>
// CHECK-NEXT: %[[D:.*]] = ann.pad %[[C]] low [1, 0] high [2, 1] {nc.origin = "d"} : tensor<1x1xf32> -> tensor<4x2xf32>
// CHECK-NEXT: func.return %[[D]]
func.func @maps(%x: tensor<2x3x1xf32>) -> tensor<4x2xf32> {
  %0 = ann.transpose %x permutation [2, 0, 1] : tensor<2x3x1xf32> -> tensor<1x2x3xf32>
  %1 = ann.reshape %0 {nc.origin = "a"} : tensor<1x2x3xf32> -> tensor<3x2xf32>
  %2 = ann.reshape %1 : tensor<3x2xf32> -> tensor<3x1x2xf32>
  %3 = ann.transpose %2 permutation [1, 2, 0] : tensor<3x1x2xf32> -> tensor<1x2x3xf32>
  %4 = ann.reshape %3 : tensor<1x2x3xf32> -> tensor<2x3xf32>
  %t = ann.transpose %1 permutation [1, 0] {nc.origin = "b"} : tensor<3x2xf32> -> tensor<2x3xf32>
  %5 = ann.slice %t starts [0, 0] stops [1, 3] steps [2, 1] : tensor<2x3xf32> -> tensor<1x3xf32>
  %6 = ann.slice %5 starts [0, 1] stops [1, 2] steps [1, 1] {nc.origin = "c"} : tensor<1x3xf32> -> tensor<1x1xf32>
  %7 = ann.pad %6 low [1, 0] high [0, 1] : tensor<1x1xf32> -> tensor<2x2xf32>
  %8 = ann.pad %7 low [0, 0] high [2, 0] {nc.origin = "d"} : tensor<2x2xf32> -> tensor<4x2xf32>
  func.return %8 : tensor<4x2xf32>
}

// -----

// CHECK-LABEL: @transposes
// CHECK-NEXT: ann.transpose %x permutation [1, 2, 0] : tensor<2x3x4xf32> -> tensor<3x4x2xf32>
// CHECK-NEXT: func.return
func.func @transposes(%x: tensor<2x3x4xf32>) -> tensor<3x4x2xf32> {
  %0 = ann.transpose %x permutation [2, 0, 1] : tensor<2x3x4xf32> -> tensor<4x2x3xf32>
  %1 = ann.transpose %0 permutation [2, 0, 1] : tensor<4x2x3xf32> -> tensor<3x4x2xf32>
  func.return %1 : tensor<3x4x2xf32>
}

// -----

// There and back again.

// CHECK-LABEL: @back
// CHECK-NEXT: func.return %x
func.func @back(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = ann.transpose %x permutation [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
  %1 = ann.transpose %0 permutation [1, 0] : tensor<3x2xf32> -> tensor<2x3xf32>
  func.return %1 : tensor<2x3xf32>
}

// -----

// A concatenation takes in those along the same axis only.

// CHECK-LABEL: @concats
// CHECK-NEXT: %[[A:.*]] = ann.concat %x, %x axis 1
// CHECK-NEXT: ann.concat %[[A]], %y, %y axis 0 : (tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<3x2xf32>
func.func @concats(%x: tensor<1x1xf32>, %y: tensor<1x2xf32>) -> tensor<3x2xf32> {
  %0 = ann.concat %x, %x axis 1 : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x2xf32>
  %1 = ann.concat %0, %y axis 0 : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<2x2xf32>
  %2 = ann.concat %1, %y axis 0 : (tensor<2x2xf32>, tensor<1x2xf32>) -> tensor<3x2xf32>
  func.return %2 : tensor<3x2xf32>
}

// -----

// Clamps and relus that follow each other are one; bounds that never meet the range of the first move to its end.

// CHECK-LABEL: @clamps
// CHECK-NEXT: %[[A:.*]] = ann.clamp %x minimum 0.000000e+00 : f64 maximum 6.000000e+00 : f64 {nc.origin = "relu6"}
// CHECK-NEXT: %[[B:.*]] = ann.clamp %x minimum -1.000000e+00 : f64 maximum 0.000000e+00 : f64
// CHECK-NEXT: %[[C:.*]] = ann.clamp %x minimum 2.000000e+00 : f64 maximum 2.000000e+00 : f64
// CHECK-NEXT: %[[D:.*]] = ann.relu %x {nc.origin = "d"}
// CHECK-NEXT: func.return %[[A]], %[[B]], %[[C]], %[[D]]
func.func @clamps(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %0 = ann.relu %x : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.clamp %0 maximum 6.0 : f64 {nc.origin = "relu6"} : tensor<2xf32> -> tensor<2xf32>
  %2 = ann.clamp %x minimum -1.0 : f64 maximum 5.0 : f64 : tensor<2xf32> -> tensor<2xf32>
  %3 = ann.clamp %2 maximum 0.0 : f64 : tensor<2xf32> -> tensor<2xf32>
  %4 = ann.clamp %x maximum 1.0 : f64 : tensor<2xf32> -> tensor<2xf32>
  %5 = ann.clamp %4 minimum 2.0 : f64 maximum 3.0 : f64 : tensor<2xf32> -> tensor<2xf32>
  %6 = ann.clamp %x minimum 0.0 : f64 {nc.origin = "d"} : tensor<2xf32> -> tensor<2xf32>
  func.return %1, %3, %5, %6 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// -----

// A leaky relu of slope 0 or 1, a mean over axes of size one, an adaptive pooling to the same size.

// CHECK-LABEL: @special_cases
// CHECK-NEXT: %[[A:.*]] = ann.relu %x
// CHECK-NEXT: %[[B:.*]] = ann.reshape %x : tensor<1x2x2xf32> -> tensor<2x2xf32>
// CHECK-NEXT: func.return %[[A]], %[[B]], %x
func.func @special_cases(%x: tensor<1x2x2xf32>) -> (tensor<1x2x2xf32>, tensor<2x2xf32>, tensor<1x2x2xf32>) {
  %0 = ann.leaky_relu %x slope 0.0 : f64 : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %1 = ann.leaky_relu %x slope 1.0 : f64 : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %2 = ann.mean %1 axes [0] : tensor<1x2x2xf32> -> tensor<2x2xf32>
  %3 = ann.adaptive_average_pool2d %1 output [2, 2] : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  func.return %0, %2, %3 : tensor<1x2x2xf32>, tensor<2x2xf32>, tensor<1x2x2xf32>
}

// -----

// The maximum over padding alone is minus infinity, so a relu behind it does something.

// CHECK-LABEL: @empty_window
// CHECK: ann.max_pool2d
// CHECK-NEXT: ann.relu
func.func @empty_window(%x: tensor<1x1x1xf32>) -> tensor<1x1x2xf32> {
  %0 = ann.relu %x : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  %1 = ann.max_pool2d %0 kernel [1, 1] padding [0, 0, 0, 1] : tensor<1x1x1xf32> -> tensor<1x1x2xf32>
  %2 = ann.relu %1 : tensor<1x1x2xf32> -> tensor<1x1x2xf32>
  func.return %2 : tensor<1x1x2xf32>
}
