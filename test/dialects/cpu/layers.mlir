// RUN: nc-opt %s | nc-opt | filecheck %s

// Whole layers print and parse; of a synapse's geometry only what is unusual is said.

func.func @main(%x: tensor<4x4x2xi8>) -> tensor<4x4x2xi8> {
  %y = cpu.program "network" steps 1 inputs(%x) {
  ^bb0(%0: memref<4x4x2xi8>):
    %1 = cpu.buffer : memref<4x4x2xi8>
    %2 = cpu.buffer : memref<4x4x8x1xi64>
    %3 = cpu.buffer : memref<8x1xi64>
    // CHECK: cpu.count_layer(%0, %0) -> %1 synapses [#cpu.synapse<conv2d padding [1, 1, 1, 1]>, #cpu.synapse<diagonal>] weights
    // CHECK-SAME: levels 7 kernel "dense" layout [1, 2, 0]
    cpu.count_layer(%0, %0) -> %1 synapses [#cpu.synapse<conv2d stride [1, 1] padding [1, 1, 1, 1]>, #cpu.synapse<diagonal>] weights [dense<1> : tensor<1x3x3x2x2xi8>, dense<2> : tensor<2xi8>] threshold(dense<[3, 4]> : tensor<2xi32>) bias(dense<1> : tensor<1xi32>) levels 7 kernel "dense" layout [1, 2, 0] steps [0, 1] : (memref<4x4x2xi8>, memref<4x4x2xi8>) -> memref<4x4x2xi8>
    // CHECK: cpu.spike_layer(%2) -> %3 synapses [#cpu.synapse<linear>]
    // CHECK-SAME: gated true channels 10 of [2] layout [0]
    cpu.spike_layer(%2) -> %3 synapses [#cpu.synapse<linear>] weights [dense<1> : tensor<32x10xi8>] threshold(dense<3> : tensor<1xi32>) gated true channels 10 of [2] layout [0] steps [0, 1] : (memref<4x4x8x1xi64>) -> memref<8x1xi64>
    cpu.output %1 : memref<4x4x2xi8>
  } : (tensor<4x4x2xi8>) -> (tensor<4x4x2xi8>)
  func.return %y : tensor<4x4x2xi8>
}
