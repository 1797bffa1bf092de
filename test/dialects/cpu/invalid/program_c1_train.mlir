// RUN: not nc-opt %s 2>&1 | filecheck %s

// Without `steps`, operands have an axis of time in front.

func.func @main(%x: tensor<4xi32>) -> tensor<?x4xi32> {
  %y = cpu.program "network" inputs(%x) {
  ^bb0(%0: memref<4xi32>):
    %1 = cpu.buffer : memref<4xi32>
    cpu.fill %1 : memref<4xi32>
    cpu.output %1 : memref<4xi32>
  } : (tensor<4xi32>) -> (tensor<?x4xi32>)
  func.return %y : tensor<?x4xi32>
}

// CHECK: the body's arguments do not have the operands' shapes
