// RUN: nc-opt %s | nc-opt | filecheck %s

// Trains of a constant current, pooled trains and counted trains print and parse; a single step covers those of trains.

func.func @main(%x: tensor<4x4x2xi32>) -> tensor<2x2x2xui8> {
  // CHECK: cpu.program "network" steps 1 covers 8 inputs(%x)
  %y = cpu.program "network" steps 1 covers 8 inputs(%x) {
  ^bb0(%0: memref<4x4x2xi32>):
    %1 = cpu.buffer : memref<4x4x8x1xi64>
    %2 = cpu.buffer : memref<2x2x8x1xi64>
    %3 = cpu.buffer : memref<2x2x2xui8>
    // CHECK: cpu.current_layer %0 -> %1 threshold({{.*}}) bias({{.*}}) initial({{.*}}) gated true channels 2 layout [1, 2, 0] steps [0, 1]
    cpu.current_layer %0 -> %1 threshold(dense<3> : tensor<1xi32>) bias(dense<1> : tensor<1xi32>) initial(dense<[1, 2]> : tensor<2xi32>) gated true channels 2 layout [1, 2, 0] steps [0, 1] : memref<4x4x2xi32> -> memref<4x4x8x1xi64>
    // CHECK: cpu.spike_layer(%1) -> %1 {{.*}} factor 8 charge_bits 3 channels 2 of [2]
    cpu.spike_layer(%1) -> %1 synapses [#cpu.synapse<diagonal>] weights [dense<1> : tensor<2xi8>] threshold(dense<3> : tensor<1xi32>) factor 8 charge_bits 3 channels 2 of [2] layout [1, 2, 0] steps [0, 1] : (memref<4x4x8x1xi64>) -> memref<4x4x8x1xi64>
    // CHECK: cpu.max_pool_train %1 -> %2 counted true channels 2 kernel [2, 2]
    cpu.max_pool_train %1 -> %2 counted true channels 2 kernel [2, 2] stride [2, 2] padding [0, 0, 0, 0] dilation [1, 1] steps [0, 1] : memref<4x4x8x1xi64> -> memref<2x2x8x1xi64>
    // CHECK: cpu.count_train %2 -> %3 channels 2 steps [0, 1]
    cpu.count_train %2 -> %3 channels 2 steps [0, 1] : memref<2x2x8x1xi64> -> memref<2x2x2xui8>
    cpu.output %3 : memref<2x2x2xui8>
  } : (tensor<4x4x2xi32>) -> (tensor<2x2x2xui8>)
  func.return %y : tensor<2x2x2xui8>
}
