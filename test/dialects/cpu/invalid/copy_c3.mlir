// RUN: not nc-opt %s 2>&1 | filecheck %s

// A copy keeps the element type.

func.func @main(%x: tensor<4xi32>) -> tensor<4xi32> {
  %y = cpu.program "network" steps 3 inputs(%x) {
  ^bb0(%0: memref<4xi32>):
    %1 = cpu.buffer : memref<4xi32>
    cpu.fill %1 steps [0, 1] : memref<4xi32>
    %2 = cpu.buffer : memref<4xi8>
    cpu.copy %0 -> %2 sizes [4] from 0 [1] to 0 [1] steps [0, 1] : memref<4xi32> -> memref<4xi8>
    cpu.output %1 : memref<4xi32>
  } : (tensor<4xi32>) -> (tensor<4xi32>)
  func.return %y : tensor<4xi32>
}

// CHECK: the element type changes
