// RUN: not nc-opt %s 2>&1 | filecheck %s

// The symbol is a C identifier.

func.func @main(%x: tensor<4xi32>) -> tensor<4xi32> {
  %y = cpu.program "a b" steps 3 inputs(%x) {
  ^bb0(%0: memref<4xi32>):
    %1 = cpu.buffer : memref<4xi32>
    cpu.fill %1 steps [0, 1] : memref<4xi32>
    cpu.output %1 : memref<4xi32>
  } : (tensor<4xi32>) -> (tensor<4xi32>)
  func.return %y : tensor<4xi32>
}

// CHECK: 'a b' is no C identifier
