// RUN: nc-opt %s --split-input-file -p decompose-attention | filecheck %s

// A negative scale, one per column, and a shift are no scale of a softmax.

// CHECK-LABEL: @negative
// CHECK: ann.affine
// CHECK-NEXT: ann.softmax %{{.*}} axis 0 :
func.func @negative(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = ann.affine %x scale(dense<-0.5> : tensor<1xf32>) : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.softmax %0 axis 0 : tensor<2xf32> -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

// -----

// CHECK-LABEL: @columns
// CHECK: ann.affine
// CHECK-NEXT: ann.softmax %{{.*}} axis 0 :
func.func @columns(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = ann.affine %x scale(dense<[0.5, 2.0]> : tensor<2xf32>) : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.softmax %0 axis 0 : tensor<2xf32> -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

// -----

// CHECK-LABEL: @shift
// CHECK: ann.affine
// CHECK-NEXT: ann.softmax %{{.*}} axis 0 :
func.func @shift(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = ann.affine %x scale(dense<0.5> : tensor<1xf32>) shift(dense<[1.0, 0.0]> : tensor<2xf32>) : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.softmax %0 axis 0 : tensor<2xf32> -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}
