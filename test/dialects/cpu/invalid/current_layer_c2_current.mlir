// RUN: not nc-opt %s 2>&1 | filecheck %s

// A current has the shape of the neurons and holds 32 bits.

func.func @main(%x: tensor<4x4x2xi8>) -> tensor<4x4x2xi8> {
  %y = cpu.program "network" steps 1 inputs(%x) {
  ^bb0(%0: memref<4x4x2xi8>):
    %1 = cpu.buffer : memref<4x4x2xi8>
    %2 = cpu.buffer : memref<4x4x8x1xi64>
    %3 = cpu.buffer : memref<4x4x2xi32>
    %4 = cpu.buffer : memref<2x2x8x1xi64>
    cpu.current_layer %1 -> %2 threshold(dense<3> : tensor<1xi32>) channels 2 layout [1, 2, 0] steps [0, 1] : memref<4x4x2xi8> -> memref<4x4x8x1xi64>
    cpu.output %1 : memref<4x4x2xi8>
  } : (tensor<4x4x2xi8>) -> (tensor<4x4x2xi8>)
  func.return %y : tensor<4x4x2xi8>
}

// CHECK: a current has the neurons' shape, of i32
