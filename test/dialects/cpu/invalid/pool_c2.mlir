// RUN: not nc-opt %s 2>&1 | filecheck %s

// A pooling's shapes agree.

func.func @main(%x: tensor<4xi32>) -> tensor<4xi32> {
  %y = cpu.program "network" steps 3 inputs(%x) {
  ^bb0(%0: memref<4xi32>):
    %1 = cpu.buffer : memref<4xi32>
    cpu.fill %1 steps [0, 1] : memref<4xi32>
    %2 = cpu.buffer : memref<4x4x1xi1>
    cpu.max_pool2d %2 -> %2 kernel [2, 2] stride [2, 2] padding [0, 0, 0, 0] dilation [1, 1] steps [0, 1] : memref<4x4x1xi1> -> memref<4x4x1xi1>
    cpu.output %1 : memref<4xi32>
  } : (tensor<4xi32>) -> (tensor<4xi32>)
  func.return %y : tensor<4xi32>
}

// CHECK: expected (2, 2) windows
