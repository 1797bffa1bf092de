// RUN: not nc-opt %s 2>&1 | filecheck %s

// The axis is one of the tensor's.

func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %r = ann.softmax %x axis 1 : tensor<2xf32> -> tensor<2xf32>
  func.return %r : tensor<2xf32>
}

// CHECK: axis 1 is outside the 1 axes
