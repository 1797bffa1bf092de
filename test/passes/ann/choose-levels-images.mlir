// RUN: not nc-opt %s -p 'choose-levels{budget=9}' 2>&1 | filecheck %s

func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  func.return %x : tensor<1xf32>
}

// CHECK: choose-levels: the module names no calibration images
