// RUN: nc-opt %s -p decompose-attention --validate | filecheck %s

// Attention without leading axes, behind anything: the scale of the scores becomes the softmax's.

func.func @main(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %y = ann.attention %x, %x, %x scale 0.5 : f64 : (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  func.return %y : tensor<3x4xf32>
}

// CHECK:      [[KEYS:%.+]] = ann.transpose %x permutation [1, 0] : tensor<3x4xf32> -> tensor<4x3xf32>
// CHECK-NEXT: [[SCORES:%.+]] = ann.matmul %x, [[KEYS]]
// CHECK-NEXT: [[SHARES:%.+]] = ann.softmax [[SCORES]] axis 1 scale 5.000000e-01 : f64
// CHECK-NEXT: ann.matmul [[SHARES]], %x
