// RUN: nc-opt %s -p make-layer-major | filecheck %s

// A current makes a train, a layer reads it, a membrane that never fires reads counts; one step covers three.

func.func @main(%x: tensor<2xi8>) -> tensor<1xi32> {
  %y = cpu.program "network" steps 3 inputs(%x) {
  ^bb0(%0: memref<2xi8>):
    %1 = cpu.buffer : memref<2xi32>
    cpu.fill %1 steps [0, 1] : memref<2xi32>
    cpu.diagonal %0 -> %1 weight(dense<2> : tensor<1xi8>) steps [0, 1] : memref<2xi8> -> memref<2xi32>
    %2 = cpu.buffer : memref<2xi32>
    cpu.fill %2 value(dense<1> : tensor<1xi32>) steps [0, 1] : memref<2xi32>
    cpu.add %1 -> %2 steps [0, 3] : memref<2xi32> -> memref<2xi32>
    %3 = cpu.buffer : memref<2xi1>
    cpu.fire %2 -> %3 threshold(dense<9> : tensor<1xi32>) layout [0] steps [0, 3] : memref<2xi32> -> memref<2xi1>
    %4 = cpu.buffer : memref<2xi32>
    cpu.fill %4 steps [0, 1] : memref<2xi32>
    cpu.linear %3 -> %4 weight(dense<[[600, 0], [-300, 300]]> : tensor<2x2xi16>) steps [0, 3] : memref<2xi1> -> memref<2xi32>
    cpu.charge %4 value(dense<[1, 2]> : tensor<2xi32>) steps [0, 3] : memref<2xi32>
    %5 = cpu.buffer : memref<2xi1>
    cpu.fire %4 -> %5 threshold(dense<5> : tensor<1xi32>) layout [0] steps [0, 3] : memref<2xi32> -> memref<2xi1>
    %6 = cpu.buffer : memref<1xi32>
    cpu.fill %6 steps [0, 1] : memref<1xi32>
    cpu.linear %5 -> %6 weight(dense<[[4], [5]]> : tensor<2x1xi8>) steps [0, 3] : memref<2xi1> -> memref<1xi32>
    cpu.charge %6 value(dense<7> : tensor<1xi32>) steps [0, 3] : memref<1xi32>
    %7 = cpu.buffer : memref<1xi32>
    cpu.copy %6 -> %7 sizes [1] from 0 [1] to 0 [1] steps [2, 3] : memref<1xi32> -> memref<1xi32>
    cpu.output %7 : memref<1xi32>
  } : (tensor<2xi8>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK: %y = cpu.program "network" steps 1 covers 3 inputs(%x) {
// CHECK: cpu.diagonal %0 -> %[[CURRENT:.*]] weight(dense<2> : tensor<1xi8>) steps [0, 1]
// CHECK: cpu.current_layer %[[CURRENT]] -> %[[FIRST:.*]] threshold(dense<9> : tensor<1xi32>) initial(dense<1> : tensor<1xi32>) channels 2
// CHECK: cpu.spike_layer(%[[FIRST]]) -> %[[SECOND:.*]] synapses [#cpu.synapse<linear>]
// CHECK-SAME{LITERAL}: weights [dense<[[2, 0], [-1, 1]]> : tensor<2x2xi8>]
// CHECK-SAME: bias({{.*}}) factor 300 charge_bits 16 channels 2 of [2]
// CHECK: cpu.charge %[[SUM:.*]] value(dense<21> : tensor<1xi32>) steps [0, 1]
// CHECK: cpu.count_train %[[SECOND]] -> %[[COUNTS:.*]] channels 2
// CHECK: cpu.linear %[[COUNTS]] -> %[[SUM]] weight({{.*}}) steps [0, 1] : memref<2xui8> -> memref<1xi32>
