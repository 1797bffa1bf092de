// RUN: nc-opt %s -p reserve-scratch | filecheck %s

// Long lists of events have memory of their own, but not in programs that are printed as C.

func.func @main(%x: tensor<32x32x8x1xi64>) -> (tensor<32x32x8x1xi64>, tensor<32x32x8x1xi64>) {
  %y = cpu.program "y" for "host" steps 1 covers 8 inputs(%x) {
  ^bb0(%0: memref<32x32x8x1xi64>):
    %1 = cpu.buffer : memref<32x32x8x1xi64>
    cpu.spike_layer(%0) -> %1 synapses [#cpu.synapse<conv2d padding [1, 1, 1, 1]>] weights [dense<1> : tensor<1x3x3x64x64xi8>] threshold(dense<9> : tensor<1xi32>) channels 64 of [64] kernel "gather" layout [1, 2, 0] steps [0, 1] : (memref<32x32x8x1xi64>) -> memref<32x32x8x1xi64>
    cpu.output %1 : memref<32x32x8x1xi64>
  } : (tensor<32x32x8x1xi64>) -> (tensor<32x32x8x1xi64>)
  %z = cpu.program "z" for "c11" steps 1 covers 8 inputs(%x) {
  ^bb0(%0: memref<32x32x8x1xi64>):
    %1 = cpu.buffer : memref<32x32x8x1xi64>
    cpu.spike_layer(%0) -> %1 synapses [#cpu.synapse<conv2d padding [1, 1, 1, 1]>] weights [dense<1> : tensor<1x3x3x64x64xi8>] threshold(dense<9> : tensor<1xi32>) channels 64 of [64] kernel "gather" layout [1, 2, 0] steps [0, 1] : (memref<32x32x8x1xi64>) -> memref<32x32x8x1xi64>
    cpu.output %1 : memref<32x32x8x1xi64>
  } : (tensor<32x32x8x1xi64>) -> (tensor<32x32x8x1xi64>)
  func.return %y, %z : tensor<32x32x8x1xi64>, tensor<32x32x8x1xi64>
}

// CHECK: cpu.program "y"
// CHECK: %[[EVENTS:.*]] = cpu.buffer "events" : memref<{{.*}}xi8>
// CHECK: cpu.spike_layer({{.*}}) -> {{.*}} scratch %[[EVENTS]]
// CHECK: cpu.program "z"
// CHECK-NOT: events
// CHECK-NOT: scratch
