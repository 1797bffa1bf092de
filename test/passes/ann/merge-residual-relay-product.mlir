// RUN: nc-opt %s -p merge-residual --validate | filecheck %s

// A product is a current by itself, without a synapse.

func.func @main(%x: tensor<2xf32>, %y: tensor<2xf32>) -> tensor<2xf32> {
  %0 = ann.mul %x, %y : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %1 = ann.relay %0 : (tensor<2xf32>) -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

// CHECK:      %0 = ann.mul %x, %y
// CHECK-NEXT: %1 = ann.relay %0 : (tensor<2xf32>) -> tensor<2xf32>
// CHECK-NEXT: func.return %1
