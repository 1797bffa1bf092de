// RUN: not nc-opt %s -p fold-batch-norm 2>&1 | filecheck %s

// A negative variance has no root.

func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %0 = ann.conv2d %x weight(dense<3.0> : tensor<1x1x1x1xf32>) : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %1 = ann.batch_norm %0 scale(dense<2.0> : tensor<1xf32>) shift(dense<5.0> : tensor<1xf32>) mean(dense<1.0> : tensor<1xf32>) variance(dense<-4.0> : tensor<1xf32>) epsilon 1.0 : f64 : tensor<1x2x2xf32> -> tensor<1x2x2xf32> loc("bn")
  func.return %1 : tensor<1x2x2xf32>
}

// CHECK: error: `ann.batch_norm` (bn): its variance plus epsilon is not positive
