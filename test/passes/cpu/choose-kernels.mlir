// RUN: nc-opt %s -p 'choose-kernels{density=0.02}' | filecheck %s

// Where few neurons fire, rows of weights are added for those that do; a layer that fires often is multiplied out.
// CHECK: cpu.spike_layer(%0) -> %1 {{.*}}kernel "gather"{{.*}}nc.cost = {dense = 9.950000e+00 : f64, gather = 2.030000e+00 : f64}
// CHECK: cpu.spike_layer(%1) -> %2 {{.*}}kernel "dense"

func.func @main(%x: tensor<4x4x8x1xi64>) -> tensor<4x4x8x1xi64> {
  %y = cpu.program "network" steps 1 inputs(%x) {
  ^bb0(%0: memref<4x4x8x1xi64>):
    %1 = cpu.buffer : memref<4x4x8x1xi64>
    %2 = cpu.buffer : memref<4x4x8x1xi64>
    cpu.spike_layer(%0) -> %1 synapses [#cpu.synapse<conv2d padding [1, 1, 1, 1]>] weights [dense<1> : tensor<1x3x3x64x64xi8>] threshold(dense<9> : tensor<1xi32>) channels 64 of [64] layout [1, 2, 0] steps [0, 1] {nc.activity = 4.0 : f64} : (memref<4x4x8x1xi64>) -> memref<4x4x8x1xi64>
    cpu.spike_layer(%1) -> %2 synapses [#cpu.synapse<conv2d padding [1, 1, 1, 1]>] weights [dense<1> : tensor<1x3x3x64x64xi8>] threshold(dense<9> : tensor<1xi32>) channels 64 of [64] layout [1, 2, 0] steps [0, 1] : (memref<4x4x8x1xi64>) -> memref<4x4x8x1xi64>
    cpu.output %2 : memref<4x4x8x1xi64>
  } : (tensor<4x4x8x1xi64>) -> (tensor<4x4x8x1xi64>)
  func.return %y : tensor<4x4x8x1xi64>
}
