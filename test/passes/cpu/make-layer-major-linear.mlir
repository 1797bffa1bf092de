// RUN: nc-opt %s -p make-layer-major | filecheck %s

// A linear synapse reads a train through pools and copies: they become part of its weights.

func.func @main(%x: tensor<2x2x2xi8>) -> tensor<2xi32> {
  %y = cpu.program "network" steps 3 inputs(%x) {
  ^bb0(%0: memref<2x2x2xi8>):
    %1 = cpu.buffer : memref<2x2x2xi32>
    cpu.fill %1 steps [0, 1] : memref<2x2x2xi32>
    cpu.diagonal %0 -> %1 weight(dense<2> : tensor<1xi8>) steps [0, 1] : memref<2x2x2xi8> -> memref<2x2x2xi32>
    %2 = cpu.buffer : memref<2x2x2xi32>
    cpu.fill %2 steps [0, 1] : memref<2x2x2xi32>
    cpu.add %1 -> %2 steps [0, 3] : memref<2x2x2xi32> -> memref<2x2x2xi32>
    %3 = cpu.buffer : memref<2x2x2xi1>
    cpu.fire %2 -> %3 threshold(dense<9> : tensor<1xi32>) layout [1, 2, 0] steps [0, 3] : memref<2x2x2xi32> -> memref<2x2x2xi1>
    %p = cpu.buffer : memref<1x1x2xui8>
    cpu.sum_pool2d %3 -> %p kernel [2, 2] stride [2, 2] padding [0, 0, 0, 0] dilation [1, 1] steps [0, 3] : memref<2x2x2xi1> -> memref<1x1x2xui8>
    %f = cpu.buffer : memref<2xui8>
    cpu.copy %p -> %f sizes [2] from 0 [1] to 0 [1] steps [0, 3] : memref<1x1x2xui8> -> memref<2xui8>
    %4 = cpu.buffer : memref<2xi32>
    cpu.fill %4 steps [0, 1] : memref<2xi32>
    cpu.linear %f -> %4 weight(dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>) steps [0, 3] : memref<2xui8> -> memref<2xi32>
    %5 = cpu.buffer : memref<2xi1>
    cpu.fire %4 -> %5 threshold(dense<2> : tensor<1xi32>) layout [0] steps [0, 3] : memref<2xi32> -> memref<2xi1>
    %8 = cpu.buffer : memref<2xi32>
    cpu.fill %8 steps [0, 1] : memref<2xi32>
    cpu.linear %5 -> %8 weight(dense<1> : tensor<2x2xi8>) steps [0, 3] : memref<2xi1> -> memref<2xi32>
    %9 = cpu.buffer : memref<2xi32>
    cpu.copy %8 -> %9 sizes [2] from 0 [1] to 0 [1] steps [2, 3] : memref<2xi32> -> memref<2xi32>
    cpu.output %9 : memref<2xi32>
  } : (tensor<2x2x2xi8>) -> (tensor<2xi32>)
  func.return %y : tensor<2xi32>
}

// CHECK: cpu.spike_layer({{.*}}) -> {{.*}} synapses [#cpu.synapse<linear>]
// CHECK-SAME{LITERAL}: weights [dense<[[1, 2], [3, 4], [1, 2], [3, 4], [1, 2], [3, 4], [1, 2], [3, 4]]> : tensor<8x2xi8>]
