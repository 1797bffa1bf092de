// RUN: nc-opt %s -p fuse-layers | filecheck %s

// Events are not counts.

func.func @main(%x: tensor<4xui8>) -> tensor<4xui8> {
  %y = cpu.program "network" steps 1 inputs(%x) {
  ^bb0(%0: memref<4xui8>):
    %1 = cpu.buffer range [0, 600] : memref<4xi32>
    cpu.fill %1 steps [0, 1] : memref<4xi32>
    cpu.diagonal %0 -> %1 weight(dense<2> : tensor<1xi8>) steps [0, 1] : memref<4xui8> -> memref<4xi32>
    %2 = cpu.buffer : memref<4xui8>
    cpu.fire %1 -> %2 threshold(dense<9> : tensor<1xi32>) spikes_per_step 15 layout [0] steps [0, 1]
      : memref<4xi32> -> memref<4xui8>
    cpu.output %2 : memref<4xui8>
  } : (tensor<4xui8>) -> (tensor<4xui8>)
  func.return %y : tensor<4xui8>
}

// CHECK: cpu.fire
// CHECK-NOT: cpu.count_layer
