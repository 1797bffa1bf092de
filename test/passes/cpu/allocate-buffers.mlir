// RUN: nc-opt %s -p allocate-buffers | filecheck %s

// Buffers that are never in use at one step share memory; the caller's array has no place; unused ones vanish.

func.func @main(%x: tensor<20xi32>) -> tensor<20xi32> {
  %y = cpu.program "network" steps 4 inputs(%x) {
  ^bb0(%0: memref<20xi32>):
    %1 = cpu.buffer "early" : memref<20xi32>
    %2 = cpu.buffer "late" : memref<20xi32>
    %3 = cpu.buffer "long" : memref<40xi32>
    %4 = cpu.buffer "unused" : memref<20xi32>
    %5 = cpu.buffer "result" : memref<20xi32>
    cpu.fill %3 steps [0, 4] : memref<40xi32>
    cpu.fill %1 steps [0, 2] : memref<20xi32>
    cpu.fill %2 steps [2, 3] : memref<20xi32>
    cpu.add %2 -> %5 steps [3, 4] : memref<20xi32> -> memref<20xi32>
    cpu.output %5 : memref<20xi32>
  } : (tensor<20xi32>) -> (tensor<20xi32>)
  func.return %y : tensor<20xi32>
}

// CHECK: cpu.buffer "early" offset 192 : memref<20xi32>
// CHECK: cpu.buffer "late" offset 192 : memref<20xi32>
// CHECK: cpu.buffer "long" offset 0 : memref<40xi32>
// CHECK-NOT: "unused"
// CHECK: cpu.buffer "result" : memref<20xi32>
