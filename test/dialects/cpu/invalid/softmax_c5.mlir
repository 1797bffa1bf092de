// RUN: not nc-opt %s 2>&1 | filecheck %s

// The table is a vector.

func.func @main(%x: tensor<4xi32>) -> tensor<4xi32> {
  %y = cpu.program "network" steps 3 inputs(%x) {
  ^bb0(%0: memref<4xi32>):
    %1 = cpu.buffer : memref<4xi32>
    cpu.fill %1 steps [0, 1] : memref<4xi32>
    %2 = cpu.buffer : memref<2x3xi32>
    %3 = cpu.buffer : memref<2x3xi8>
    cpu.softmax %2 -> %3 divisor(dense<1> : tensor<2xi32>) table(dense<1> : tensor<3x1xi8>) levels 3 layout [0, 1] steps [0, 1] : memref<2x3xi32> -> memref<2x3xi8>
    cpu.output %1 : memref<4xi32>
  } : (tensor<4xi32>) -> (tensor<4xi32>)
  func.return %y : tensor<4xi32>
}

// CHECK: expected a table with at least one entry
