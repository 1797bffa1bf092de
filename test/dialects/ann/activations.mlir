// RUN: nc-opt %s | nc-opt | filecheck %s

// Activations print and parse.

func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // CHECK:      ann.relu %x : tensor<2x3xf32> -> tensor<2x3xf32>
  %0 = ann.relu %x : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK-NEXT: ann.clamp %0 : tensor<2x3xf32>
  %1 = ann.clamp %0 : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK-NEXT: ann.clamp %1 minimum -1.000000e+00 : f64 : tensor<2x3xf32>
  %2 = ann.clamp %1 minimum -1.0 : f64 : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK-NEXT: ann.clamp %2 minimum 0.000000e+00 : f64 maximum 6.000000e+00 : f64 : tensor<2x3xf32>
  %3 = ann.clamp %2 minimum 0.0 : f64 maximum 6.0 : f64 : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK-NEXT: ann.leaky_relu %3 slope 1.000000e-01 : f64 : tensor<2x3xf32>
  %4 = ann.leaky_relu %3 slope 0.1 : f64 : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK-NEXT: ann.silu %4 : tensor<2x3xf32>
  %5 = ann.silu %4 : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK-NEXT: ann.gelu %5 : tensor<2x3xf32>
  %6 = ann.gelu %5 : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK-NEXT: ann.gelu %6 approximate true : tensor<2x3xf32>
  %7 = ann.gelu %6 approximate true : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK-NEXT: ann.sigmoid %7 : tensor<2x3xf32>
  %8 = ann.sigmoid %7 : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK-NEXT: ann.tanh %8 : tensor<2x3xf32>
  %9 = ann.tanh %8 : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK-NEXT: ann.hard_swish %9 : tensor<2x3xf32>
  %10 = ann.hard_swish %9 : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK-NEXT: ann.hard_sigmoid %10 : tensor<2x3xf32>
  %11 = ann.hard_sigmoid %10 : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK-NEXT: ann.softmax %11 axis 1 : tensor<2x3xf32>
  %12 = ann.softmax %11 axis 1 : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK-NEXT: ann.log_softmax %12 axis 0 : tensor<2x3xf32>
  %13 = ann.log_softmax %12 axis 0 : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK-NEXT: ann.rounded_relu %13 clip(dense<[1.000000e+00, 2.000000e+00, 3.000000e+00]> : tensor<3xf32>) levels 4 : tensor<2x3xf32>
  %14 = ann.rounded_relu %13 clip(dense<[1.0, 2.0, 3.0]> : tensor<3xf32>) levels 4 : tensor<2x3xf32> -> tensor<2x3xf32>
  func.return %14 : tensor<2x3xf32>
}
