// RUN: not nc-opt %s 2>&1 | filecheck %s

// A convolution's shapes agree.

func.func @main(%x: tensor<4xi32>) -> tensor<4xi32> {
  %y = cpu.program "network" steps 3 inputs(%x) {
  ^bb0(%0: memref<4xi32>):
    %1 = cpu.buffer : memref<4xi32>
    cpu.fill %1 steps [0, 1] : memref<4xi32>
    %2 = cpu.buffer : memref<4x4x1xi1>
    %3 = cpu.buffer : memref<4x4x1xi32>
    cpu.conv2d %2 -> %3 weight(dense<1> : tensor<1x3x3x1x1xi8>) stride [1, 1] padding [0, 0, 0, 0] dilation [1, 1] steps [0, 1] : memref<4x4x1xi1> -> memref<4x4x1xi32>
    cpu.output %1 : memref<4xi32>
  } : (tensor<4xi32>) -> (tensor<4xi32>)
  func.return %y : tensor<4xi32>
}

// CHECK: the shapes disagree
