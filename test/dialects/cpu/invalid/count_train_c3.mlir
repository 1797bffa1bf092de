// RUN: not nc-opt %s 2>&1 | filecheck %s

// Counts hold as many steps as there are.

func.func @main(%x: tensor<2xui8>) -> tensor<2xui8> {
  %y = cpu.program "network" steps 1 inputs(%x) {
  ^bb0(%0: memref<2xui8>):
    %1 = cpu.buffer : memref<300x1xi64>
    cpu.count_train %1 -> %0 channels 2 steps [0, 1] : memref<300x1xi64> -> memref<2xui8>
    cpu.output %0 : memref<2xui8>
  } : (tensor<2xui8>) -> (tensor<2xui8>)
  func.return %y : tensor<2xui8>
}

// CHECK: ui8 does not hold 300
