// RUN: not nc-opt %s 2>&1 | filecheck %s

// Products need 32 bits.

func.func @main(%x: tensor<4xi32>) -> tensor<4xi32> {
  %y = cpu.program "network" steps 3 inputs(%x) {
  ^bb0(%0: memref<4xi32>):
    %1 = cpu.buffer : memref<4xi32>
    cpu.fill %1 steps [0, 1] : memref<4xi32>
    %2 = cpu.buffer : memref<2x3xi32>
    %3 = cpu.buffer : memref<2x3xi8>
    cpu.product %3, %3 -> %3 steps [0, 1] : memref<2x3xi8>, memref<2x3xi8> -> memref<2x3xi8>
    cpu.output %1 : memref<4xi32>
  } : (tensor<4xi32>) -> (tensor<4xi32>)
  func.return %y : tensor<4xi32>
}

// CHECK: the membrane needs 32 bits
