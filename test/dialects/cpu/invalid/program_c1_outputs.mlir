// RUN: not nc-opt %s 2>&1 | filecheck %s

// The outputs have the results' shapes.

func.func @main(%x: tensor<4xi32>) -> tensor<4xi32> {
  %y = cpu.program "network" steps 3 inputs(%x) {
  ^bb0(%0: memref<4xi32>):
    %1 = cpu.buffer : memref<2x2xi32>
    cpu.fill %1 steps [0, 1] : memref<2x2xi32>
    cpu.output %1 : memref<2x2xi32>
  } : (tensor<4xi32>) -> (tensor<4xi32>)
  func.return %y : tensor<4xi32>
}

// CHECK: the outputs do not have the results' shapes
