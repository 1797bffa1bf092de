// RUN: not nc-opt %s 2>&1 | filecheck %s

// Whole layers are made of integers.

func.func @main(%x: tensor<2xf32>) -> tensor<2xi8> {
  %y = cpu.program "network" steps 1 inputs(%x) {
  ^bb0(%0: memref<2xf32>):
    %1 = cpu.buffer : memref<2xi8>
    cpu.count_layer(%0) -> %1 synapses [#cpu.synapse<diagonal>] weights [dense<1> : tensor<2xi8>] threshold(dense<3> : tensor<1xi32>) levels 7 layout [0] steps [0, 1] : (memref<2xf32>) -> memref<2xi8>
    cpu.output %1 : memref<2xi8>
  } : (tensor<2xf32>) -> (tensor<2xi8>)
  func.return %y : tensor<2xi8>
}

// CHECK: whole layers are made of integers
