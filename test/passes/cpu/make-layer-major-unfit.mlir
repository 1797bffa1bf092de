// RUN: nc-opt %s -p make-layer-major | filecheck %s

// A leak runs step after step: everything stays, and the program says why.

func.func @main(%x: tensor<2x2x2xi8>) -> tensor<2x2x2xi32> {
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
    %4 = cpu.buffer : memref<2x2x2xi32>
    cpu.fill %4 steps [0, 1] : memref<2x2x2xi32>
    cpu.leak %4 decay(dense<3> : tensor<1xi32>) bits 2 steps [0, 3] : memref<2x2x2xi32>
    cpu.diagonal %3 -> %4 weight(dense<1> : tensor<1xi8>) steps [0, 3] : memref<2x2x2xi1> -> memref<2x2x2xi32>
    %5 = cpu.buffer : memref<2x2x2xi1>
    cpu.fire %4 -> %5 threshold(dense<2> : tensor<1xi32>) layout [1, 2, 0] steps [0, 3] : memref<2x2x2xi32> -> memref<2x2x2xi1>
    %9 = cpu.buffer : memref<2x2x2xi32>
    cpu.fill %9 steps [0, 1] : memref<2x2x2xi32>
    cpu.diagonal %5 -> %9 weight(dense<1> : tensor<1xi8>) steps [0, 3] : memref<2x2x2xi1> -> memref<2x2x2xi32>
    cpu.output %9 : memref<2x2x2xi32>
  } : (tensor<2x2x2xi8>) -> (tensor<2x2x2xi32>)
  func.return %y : tensor<2x2x2xi32>
}

// CHECK: steps 3 inputs(%x) attributes {nc.in_the_way = "`cpu.leak` of {{.*}}: it runs step after step"}
// CHECK: cpu.leak
// CHECK-NOT: spike_layer
