// RUN: not nc-opt %s 2>&1 | filecheck %s

// A synapse's shapes agree.

func.func @main(%x: tensor<4xi32>) -> tensor<4xi32> {
  %y = cpu.program "network" steps 3 inputs(%x) {
  ^bb0(%0: memref<4xi32>):
    %1 = cpu.buffer : memref<4xi32>
    cpu.fill %1 steps [0, 1] : memref<4xi32>
    cpu.linear %0 -> %1 weight(dense<1> : tensor<4x3xi8>) steps [0, 1] : memref<4xi32> -> memref<4xi32>
    cpu.output %1 : memref<4xi32>
  } : (tensor<4xi32>) -> (tensor<4xi32>)
  func.return %y : tensor<4xi32>
}

// CHECK: the shapes disagree; found buffer (4,), buffer (4,), weight (4, 3)
