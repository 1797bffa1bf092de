// RUN: not nc-opt %s 2>&1 | filecheck %s

// A limit needs its buffer.

func.func @main(%x: tensor<4xi32>) -> tensor<4xi32> {
  %y = cpu.program "network" steps 3 inputs(%x) {
  ^bb0(%0: memref<4xi32>):
    %1 = cpu.buffer : memref<4xi32>
    cpu.fill %1 steps [0, 1] : memref<4xi32>
    cpu.fire %1 -> %1 threshold(dense<1> : tensor<1xi32>) levels 4 layout [0] steps [0, 1] : memref<4xi32> -> memref<4xi32>
    cpu.output %1 : memref<4xi32>
  } : (tensor<4xi32>) -> (tensor<4xi32>)
  func.return %y : tensor<4xi32>
}

// CHECK: a limit and the buffer that keeps it go together
