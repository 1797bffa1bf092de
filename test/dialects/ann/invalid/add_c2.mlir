// RUN: not nc-opt %s 2>&1 | filecheck %s

// Floats and counts do not add up.

func.func @main(%x: tensor<1xf32>, %y: tensor<1x!ann.count<0, 3>>) {
  %0 = ann.add %x, %y : (tensor<1xf32>, tensor<1x!ann.count<0, 3>>) -> tensor<1xf32>
  func.return
}

// CHECK: 'ann.add' the element type changes from tensor<1x!ann.count<0, 3>> to tensor<1xf32>
