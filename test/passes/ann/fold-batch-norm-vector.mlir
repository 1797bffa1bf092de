// RUN: nc-opt %s -p fold-batch-norm --validate | filecheck %s

// A batch norm over features folds into the linear operation before it.

func.func @main(%x: tensor<1xf32>) -> tensor<2xf32> {
  %0 = ann.linear %x weight(dense<[[1.0], [2.0]]> : tensor<2x1xf32>) : tensor<1xf32> -> tensor<2xf32>
  %1 = ann.batch_norm %0 scale(dense<[2.0, 3.0]> : tensor<2xf32>) shift(dense<[0.0, 7.0]> : tensor<2xf32>) mean(dense<[0.0, 1.0]> : tensor<2xf32>) variance(dense<1.0> : tensor<2xf32>) epsilon 0.0 : f64 : tensor<2xf32> -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

// CHECK:      %[[Y:.*]] = ann.linear %x weight(dense<{{\[\[}}2.000000e+00], [6.000000e+00]]> : tensor<2x1xf32>) bias(dense<[0.000000e+00, 4.000000e+00]> : tensor<2xf32>)
// CHECK-NEXT: func.return %[[Y]]
