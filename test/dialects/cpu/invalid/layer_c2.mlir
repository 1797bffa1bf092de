// RUN: not nc-opt %s 2>&1 | filecheck %s

// Synapses reach the neurons.

func.func @main(%x: tensor<4x4x2xi8>) -> tensor<4x4x2xi8> {
  %y = cpu.program "network" steps 1 inputs(%x) {
  ^bb0(%0: memref<4x4x2xi8>):
    %1 = cpu.buffer : memref<4x4x2xi8>
    %2 = cpu.buffer : memref<4x4x8x1xi64>
    %3 = cpu.buffer : memref<4x4x7x1xi64>
    cpu.count_layer(%0) -> %1 synapses [#cpu.synapse<conv2d>] weights [dense<1> : tensor<1x3x3x2x2xi8>] threshold(dense<3> : tensor<1xi32>) levels 7 layout [1, 2, 0] steps [0, 1] : (memref<4x4x2xi8>) -> memref<4x4x2xi8>
    cpu.output %1 : memref<4x4x2xi8>
  } : (tensor<4x4x2xi8>) -> (tensor<4x4x2xi8>)
  func.return %y : tensor<4x4x2xi8>
}

// CHECK: a conv2d synapse reaches (2, 2, 2), not (4, 4, 2)
