// RUN: not nc-opt %s 2>&1 | filecheck %s

// Slots have the shape of the source.

func.func @main(%x: tensor<4xi32>) -> tensor<4xi32> {
  %y = cpu.program "network" steps 3 inputs(%x) {
  ^bb0(%0: memref<4xi32>):
    %1 = cpu.buffer : memref<4xi32>
    cpu.fill %1 steps [0, 1] : memref<4xi32>
    %2 = cpu.buffer : memref<2x5xi32>
    cpu.remember %0 -> %2 steps [0, 1] : memref<4xi32> -> memref<2x5xi32>
    cpu.output %1 : memref<4xi32>
  } : (tensor<4xi32>) -> (tensor<4xi32>)
  func.return %y : tensor<4xi32>
}

// CHECK: the source is no slot of the line
