// RUN: not nc-opt %s 2>&1 | filecheck %s

// One synapse and one weight for every source.

func.func @main(%x: tensor<4x4x2xi8>) -> tensor<4x4x2xi8> {
  %y = cpu.program "network" steps 1 inputs(%x) {
  ^bb0(%0: memref<4x4x2xi8>):
    %1 = cpu.buffer : memref<4x4x2xi8>
    %2 = cpu.buffer : memref<4x4x8x1xi64>
    %3 = cpu.buffer : memref<4x4x7x1xi64>
    cpu.count_layer(%0) -> %1 synapses [#cpu.synapse<diagonal>, #cpu.synapse<diagonal>] weights [dense<1> : tensor<2xi8>] threshold(dense<3> : tensor<1xi32>) levels 7 layout [1, 2, 0] steps [0, 1] : (memref<4x4x2xi8>) -> memref<4x4x2xi8>
    cpu.output %1 : memref<4x4x2xi8>
  } : (tensor<4x4x2xi8>) -> (tensor<4x4x2xi8>)
  func.return %y : tensor<4x4x2xi8>
}

// CHECK: expected one synapse and one weight for every source
