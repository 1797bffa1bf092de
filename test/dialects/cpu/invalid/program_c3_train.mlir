// RUN: not nc-opt %s 2>&1 | filecheck %s

// Without `steps`, loop nests run at all steps or at the first alone.

func.func @main(%x: tensor<?x4xi32>) -> tensor<?x4xi32> {
  %y = cpu.program "network" inputs(%x) {
  ^bb0(%0: memref<4xi32>):
    %1 = cpu.buffer : memref<4xi32>
    cpu.fill %1 steps [0, 4] : memref<4xi32>
    cpu.output %1 : memref<4xi32>
  } : (tensor<?x4xi32>) -> (tensor<?x4xi32>)
  func.return %y : tensor<?x4xi32>
}

// CHECK: without `steps`, loop nests run at all steps or at the first alone
