// RUN: nc-opt %s | nc-opt | filecheck %s

// Scales, sums, products, means and normalisations print and parse.

// CHECK-LABEL: @elementwise
func.func @elementwise(%x: tensor<2x3xf32>, %y: tensor<3xf32>) -> tensor<2x3xf32> {
  // CHECK-NEXT: ann.add %x, %y : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %0 = ann.add %x, %y : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK-NEXT: ann.sub %0, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %1 = ann.sub %0, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK-NEXT: ann.mul %y, %1 : (tensor<3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %2 = ann.mul %y, %1 : (tensor<3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK-NEXT: ann.affine %2 : tensor<2x3xf32> -> tensor<2x3xf32>
  %3 = ann.affine %2 : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK-NEXT: ann.affine %3 scale(dense<2.000000e+00> : tensor<2x1xf32>) shift(dense<3.000000e+00> : tensor<3xf32>) : tensor<2x3xf32> -> tensor<2x3xf32>
  %4 = ann.affine %3 scale(dense<2.0> : tensor<2x1xf32>) shift(dense<3.0> : tensor<3xf32>) : tensor<2x3xf32> -> tensor<2x3xf32>
  func.return %4 : tensor<2x3xf32>
}

// CHECK-LABEL: @products
func.func @products(%x: tensor<2x3x4xf32>, %y: tensor<2x4x5xf32>) -> tensor<2x3x5xf32> {
  // CHECK-NEXT: ann.matmul %x, %y : (tensor<2x3x4xf32>, tensor<2x4x5xf32>) -> tensor<2x3x5xf32>
  %0 = ann.matmul %x, %y : (tensor<2x3x4xf32>, tensor<2x4x5xf32>) -> tensor<2x3x5xf32>
  func.return %0 : tensor<2x3x5xf32>
}

// CHECK-LABEL: @attention
func.func @attention(%q: tensor<3x4xf32>, %v: tensor<5x2xf32>, %k: tensor<5x4xf32>) -> (tensor<3x2xf32>, tensor<3x2xf32>) {
  // CHECK-NEXT: ann.attention %q, %k, %v scale 5.000000e-01 : f64 : (tensor<3x4xf32>, tensor<5x4xf32>, tensor<5x2xf32>) -> tensor<3x2xf32>
  %0 = ann.attention %q, %k, %v scale 0.5 : f64 : (tensor<3x4xf32>, tensor<5x4xf32>, tensor<5x2xf32>) -> tensor<3x2xf32>
  // CHECK-NEXT: ann.attention %q, %k, %v scale 5.000000e-01 : f64 causal true mask(dense<0.000000e+00> : tensor<3x5xf32>) : (tensor<3x4xf32>
  %1 = ann.attention %q, %k, %v scale 0.5 : f64 causal true mask(dense<0.0> : tensor<3x5xf32>) : (tensor<3x4xf32>, tensor<5x4xf32>, tensor<5x2xf32>) -> tensor<3x2xf32>
  func.return %0, %1 : tensor<3x2xf32>, tensor<3x2xf32>
}

// CHECK-LABEL: @normalised
func.func @normalised(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  // CHECK-NEXT: ann.batch_norm %x scale(dense<1.000000e+00> : tensor<2xf32>) shift(dense<2.000000e+00> : tensor<2xf32>) mean(dense<3.000000e+00> : tensor<2xf32>) variance(dense<4.000000e+00> : tensor<2xf32>) epsilon {{.*}} : f64 : tensor<2x3xf32> -> tensor<2x3xf32>
  %0 = ann.batch_norm %x scale(dense<1.0> : tensor<2xf32>) shift(dense<2.0> : tensor<2xf32>) mean(dense<3.0> : tensor<2xf32>) variance(dense<4.0> : tensor<2xf32>) epsilon 1.0e-05 : f64 : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK-NEXT: ann.layer_norm %0 normalized [3] epsilon {{.*}} : f64 : tensor<2x3xf32> -> tensor<2x3xf32>
  %1 = ann.layer_norm %0 normalized [3] epsilon 1.0e-05 : f64 : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK-NEXT: ann.layer_norm %1 normalized [2, 3] scale(dense<1.000000e+00> : tensor<2x3xf32>) shift(dense<2.000000e+00> : tensor<2x3xf32>) epsilon
  %2 = ann.layer_norm %1 normalized [2, 3] scale(dense<1.0> : tensor<2x3xf32>) shift(dense<2.0> : tensor<2x3xf32>) epsilon 1.0e-05 : f64 : tensor<2x3xf32> -> tensor<2x3xf32>
  func.return %1, %2 : tensor<2x3xf32>, tensor<2x3xf32>
}

// CHECK-LABEL: @mean
func.func @mean(%x: tensor<2x3x4xf32>) -> (tensor<3xf32>, tensor<1x3x1xf32>) {
  // CHECK-NEXT: ann.mean %x axes [0, 2] : tensor<2x3x4xf32> -> tensor<3xf32>
  %0 = ann.mean %x axes [0, 2] : tensor<2x3x4xf32> -> tensor<3xf32>
  // CHECK-NEXT: ann.mean %x axes [0, 2] keep true : tensor<2x3x4xf32> -> tensor<1x3x1xf32>
  %1 = ann.mean %x axes [0, 2] keep true : tensor<2x3x4xf32> -> tensor<1x3x1xf32>
  func.return %0, %1 : tensor<3xf32>, tensor<1x3x1xf32>
}
