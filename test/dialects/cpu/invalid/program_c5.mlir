// RUN: not nc-opt %s 2>&1 | filecheck %s

// Only a single step covers others.

func.func @main(%x: tensor<4xi32>) -> tensor<4xi32> {
  %y = cpu.program "network" steps 3 covers 8 inputs(%x) {
  ^bb0(%0: memref<4xi32>):
    cpu.output %0 : memref<4xi32>
  } : (tensor<4xi32>) -> (tensor<4xi32>)
  func.return %y : tensor<4xi32>
}

// CHECK: only a single step covers others
