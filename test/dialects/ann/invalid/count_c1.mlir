// RUN: not nc-opt %s 2>&1 | filecheck %s

// A range is not empty.

func.func @main(%x: tensor<2x!ann.count<3, 2>>) -> tensor<1x2x!ann.count<3, 2>> {
  %r = ann.reshape %x : tensor<2x!ann.count<3, 2>> -> tensor<1x2x!ann.count<3, 2>>
  func.return %r : tensor<1x2x!ann.count<3, 2>>
}

// CHECK: the range 3 ... 2 is empty
