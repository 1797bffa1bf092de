// RUN: nc-opt %s -p fuse-layers | filecheck %s

// Two synapses, their biases and a fire become one layer; a copy into another order goes into the rows of a weight.

func.func @main(%x: tensor<1x2x3xui8>) -> tensor<2xui8> {
  %y = cpu.program "network" mode "counts" steps 1 inputs(%x) {
  ^bb0(%0: memref<1x2x3xui8>):
    %1 = cpu.buffer : memref<1x2x3xui8>
    cpu.copy %0 -> %1 sizes [6] from 0 [1] to 0 [1] steps [0, 1] : memref<1x2x3xui8> -> memref<1x2x3xui8>
    %2 = cpu.buffer : memref<6xui8>
    cpu.copy %1 -> %2 sizes [3, 2] from 0 [1, 3] to 0 [2, 1] steps [0, 1] : memref<1x2x3xui8> -> memref<6xui8>
    %3 = cpu.buffer range [-40, 99] : memref<2xi32>
    cpu.fill %3 value(dense<5> : tensor<1xi32>) steps [0, 1] : memref<2xi32>
    cpu.linear %2 -> %3 weight(dense<[[0, 10], [1, 11], [2, 12], [3, 13], [4, 14], [5, 15]]> : tensor<6x2xi8>)
      steps [0, 1] : memref<6xui8> -> memref<2xi32>
    cpu.charge %3 value(dense<[1, 2]> : tensor<2xi32>) steps [0, 1] : memref<2xi32>
    cpu.charge %3 value(dense<7> : tensor<1xi32>) steps [0, 1] : memref<2xi32>
    %4 = cpu.buffer : memref<2xui8>
    cpu.fire %3 -> %4 threshold(dense<9> : tensor<1xi32>) spikes_per_step 15 layout [0] steps [0, 1]
      {nc.origin = "relu", nc.activity = 3.0 : f64} : memref<2xi32> -> memref<2xui8>
    cpu.output %4 : memref<2xui8>
  } : (tensor<1x2x3xui8>) -> (tensor<2xui8>)
  func.return %y : tensor<2xui8>
}

// CHECK: [[SOURCE:%[0-9]+]] = cpu.buffer : memref<1x2x3xui8>
// CHECK-NEXT: cpu.copy
// CHECK-NOT: cpu.copy
// CHECK: cpu.count_layer([[SOURCE]]) ->
// CHECK-SAME: synapses [#cpu.synapse<linear>]
// CHECK-SAME{LITERAL}: weights [dense<[[0, 10], [2, 12], [4, 14], [1, 11], [3, 13], [5, 15]]> : tensor<6x2xi8>]
// CHECK-SAME: threshold(dense<9> : tensor<1xi32>) bias(dense<[8, 9]> : tensor<2xi32>) initial(dense<5> : tensor<1xi32>)
// CHECK-SAME: levels 15
// CHECK-SAME: nc.origin = "relu"
// CHECK-SAME: nc.activity = 3
// CHECK-NOT: cpu.charge
