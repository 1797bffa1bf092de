// RUN: not nc-opt %s 2>&1 | filecheck %s

// There is a count for every neuron.

func.func @main(%x: tensor<4x4x2xi8>) -> tensor<4x4x2xi8> {
  %y = cpu.program "network" steps 1 inputs(%x) {
  ^bb0(%0: memref<4x4x2xi8>):
    %1 = cpu.buffer : memref<4x4x2xi8>
    %2 = cpu.buffer : memref<4x4x8x1xi64>
    %3 = cpu.buffer : memref<4x4x2xi32>
    %4 = cpu.buffer : memref<2x2x8x1xi64>
    cpu.count_train %4 -> %1 channels 2 steps [0, 1] : memref<2x2x8x1xi64> -> memref<4x4x2xi8>
    cpu.output %1 : memref<4x4x2xi8>
  } : (tensor<4x4x2xi8>) -> (tensor<4x4x2xi8>)
  func.return %y : tensor<4x4x2xi8>
}

// CHECK: expected a count per neuron
