// RUN: nc-opt %s -p 'choose-kernels{density=0.1}' | filecheck %s

// Of narrow layers the vectors of weights are mostly empty.
// CHECK: cpu.spike_layer(%0) -> %1 {{.*}}kernel "dense"
// CHECK: cpu.spike_layer(%1) -> %2 {{.*}}kernel "gather"

func.func @main(%x: tensor<4x4x8x1xi64>) -> tensor<4x4x8x1xi64> {
  %y = cpu.program "network" steps 1 inputs(%x) {
  ^bb0(%0: memref<4x4x8x1xi64>):
    %1 = cpu.buffer : memref<4x4x8x1xi64>
    %2 = cpu.buffer : memref<4x4x8x1xi64>
    cpu.spike_layer(%0) -> %1 synapses [#cpu.synapse<conv2d padding [1, 1, 1, 1]>] weights [dense<1> : tensor<1x3x3x16x16xi8>] threshold(dense<9> : tensor<1xi32>) channels 16 of [16] layout [1, 2, 0] steps [0, 1] : (memref<4x4x8x1xi64>) -> memref<4x4x8x1xi64>
    cpu.spike_layer(%1) -> %2 synapses [#cpu.synapse<conv2d padding [1, 1, 1, 1]>] weights [dense<1> : tensor<1x3x3x16x64xi8>] threshold(dense<9> : tensor<1xi32>) channels 64 of [16] layout [1, 2, 0] steps [0, 1] : (memref<4x4x8x1xi64>) -> memref<4x4x8x1xi64>
    cpu.output %2 : memref<4x4x8x1xi64>
  } : (tensor<4x4x8x1xi64>) -> (tensor<4x4x8x1xi64>)
  func.return %y : tensor<4x4x8x1xi64>
}
