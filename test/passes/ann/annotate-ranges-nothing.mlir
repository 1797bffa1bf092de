// RUN: not nc-opt %s -p ann-to-snn 2>&1 | filecheck %s

// Where nothing is estimated, nothing is said of estimates.

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = ann.sigmoid %x : tensor<4xf32> -> tensor<4xf32>
  func.return %0 : tensor<4xf32>
}

// CHECK-NOT: warning
// CHECK:     nc-opt: error: calibrate: no images
