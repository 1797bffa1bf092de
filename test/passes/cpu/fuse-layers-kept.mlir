// RUN: nc-opt %s -p fuse-layers | filecheck %s

// Membranes that nothing is proven of, tables, and sources that are written again before the layer speaks stay loops.

func.func @main(%x: tensor<4xui8>) -> (tensor<4xui8>, tensor<4xui8>, tensor<4xui8>) {
  %a, %b, %c = cpu.program "network" mode "counts" steps 1 inputs(%x) {
  ^bb0(%0: memref<4xui8>):
    %1 = cpu.buffer : memref<4xi32>
    cpu.fill %1 steps [0, 1] : memref<4xi32>
    cpu.diagonal %0 -> %1 weight(dense<2> : tensor<1xi8>) steps [0, 1] : memref<4xui8> -> memref<4xi32>
    %2 = cpu.buffer : memref<4xui8>
    cpu.fire %1 -> %2 threshold(dense<9> : tensor<1xi32>) spikes_per_step 15 layout [0] steps [0, 1]
      : memref<4xi32> -> memref<4xui8>
    %3 = cpu.buffer range [0, 600] : memref<4xi32>
    cpu.fill %3 steps [0, 1] : memref<4xi32>
    cpu.diagonal %0 -> %3 weight(dense<2> : tensor<1xi8>) steps [0, 1] : memref<4xui8> -> memref<4xi32>
    %4 = cpu.buffer : memref<4xui8>
    cpu.lookup %3 -> %4 threshold(dense<9> : tensor<1xi32>) clip 0 to 1 table(dense<[3, 5]> : tensor<2xi32>) layout [0]
      steps [0, 1] : memref<4xi32> -> memref<4xui8>
    %5 = cpu.buffer range [0, 600] : memref<4xi32>
    %6 = cpu.buffer : memref<4xui8>
    cpu.copy %0 -> %6 sizes [4] from 0 [1] to 0 [1] steps [0, 1] : memref<4xui8> -> memref<4xui8>
    cpu.fill %5 steps [0, 1] : memref<4xi32>
    cpu.diagonal %6 -> %5 weight(dense<2> : tensor<1xi8>) steps [0, 1] : memref<4xui8> -> memref<4xi32>
    cpu.fill %6 steps [0, 1] : memref<4xui8>
    %7 = cpu.buffer : memref<4xui8>
    cpu.fire %5 -> %7 threshold(dense<9> : tensor<1xi32>) spikes_per_step 15 layout [0] steps [0, 1]
      : memref<4xi32> -> memref<4xui8>
    cpu.output %2, %4, %7 : memref<4xui8>, memref<4xui8>, memref<4xui8>
  } : (tensor<4xui8>) -> (tensor<4xui8>, tensor<4xui8>, tensor<4xui8>)
  func.return %a, %b, %c : tensor<4xui8>, tensor<4xui8>, tensor<4xui8>
}

// CHECK: cpu.fire
// CHECK: cpu.lookup
// CHECK: cpu.fire
// CHECK-NOT: cpu.count_layer
