// RUN: not nc-opt %s 2>&1 | filecheck %s

// A maximum is one of the elements.

func.func @main(%x: tensor<1x2x2x!ann.count<0, 3>>) {
  %0 = ann.max_pool2d %x kernel [2, 2] : tensor<1x2x2x!ann.count<0, 3>> -> tensor<1x1x1x!ann.count<0, 1>>
  func.return
}

// CHECK: 'ann.max_pool2d' the element type changes from tensor<1x2x2x!ann.count<0, 3>> to tensor<1x1x1x!ann.count<0, 1>>
