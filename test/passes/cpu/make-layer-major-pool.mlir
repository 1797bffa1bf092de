// RUN: nc-opt %s -p make-layer-major | filecheck %s

// A pool becomes part of the convolution that reads it.

func.func @main(%x: tensor<2x2x2xi8>) -> tensor<1x1x2xi32> {
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
    %4 = cpu.buffer : memref<1x1x2xi32>
    cpu.fill %4 steps [0, 1] : memref<1x1x2xi32>
    cpu.conv2d %p -> %4 weight(dense<1> : tensor<1x1x1x2x2xi8>) stride [1, 1] padding [0, 0, 0, 0] dilation [1, 1] steps [0, 3] : memref<1x1x2xui8> -> memref<1x1x2xi32>
    %5 = cpu.buffer : memref<1x1x2xi1>
    cpu.fire %4 -> %5 threshold(dense<2> : tensor<1xi32>) layout [1, 2, 0] steps [0, 3] : memref<1x1x2xi32> -> memref<1x1x2xi1>
    %9 = cpu.buffer : memref<1x1x2xi32>
    cpu.fill %9 steps [0, 1] : memref<1x1x2xi32>
    cpu.diagonal %5 -> %9 weight(dense<1> : tensor<1xi8>) steps [0, 3] : memref<1x1x2xi1> -> memref<1x1x2xi32>
    cpu.output %9 : memref<1x1x2xi32>
  } : (tensor<2x2x2xi8>) -> (tensor<1x1x2xi32>)
  func.return %y : tensor<1x1x2xi32>
}

// CHECK-NOT: sum_pool2d
// CHECK: cpu.spike_layer({{.*}}) -> {{.*}} synapses [#cpu.synapse<conv2d pool [2, 2]>]
// CHECK-SAME: charge_bits 16
