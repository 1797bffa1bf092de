// RUN: not nc-opt %s 2>&1 | filecheck %s

// The range holds every sum.

func.func @main(%x: tensor<1x2x2x!ann.count<0, 3>>) -> tensor<1x1x1x!ann.count<0, 3>> {
  %r = ann.sum_pool2d %x kernel [2, 2] : tensor<1x2x2x!ann.count<0, 3>> -> tensor<1x1x1x!ann.count<0, 3>>
  func.return %r : tensor<1x1x1x!ann.count<0, 3>>
}

// CHECK: expected elements !ann.count<0, 12>, found !ann.count<0, 3>
