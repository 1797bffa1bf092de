// RUN: nc-opt %s -p 'verify-target{target="cpu:host"}' | filecheck %s
// RUN: not nc-opt %s -p 'verify-target{target="cpu:pocket"}' 2>&1 | filecheck %s --check-prefix CHIP
// RUN: not nc-opt %s -p 'verify-target{target="abacus"}' 2>&1 | filecheck %s --check-prefix TARGET

// What fits is left alone.

func.func @main(%x: tensor<2xi8>) -> tensor<2xi8> {
  %y = cpu.program "network" steps 3 inputs(%x) {
  ^bb0(%0: memref<2xi8>):
    %1 = cpu.buffer : memref<2xi8>
    cpu.fill %1 steps [0, 1] : memref<2xi8>
    cpu.output %1 : memref<2xi8>
  } : (tensor<2xi8>) -> (tensor<2xi8>)
  func.return %y : tensor<2xi8>
}

// CHECK: cpu.program "network" steps 3
// CHIP: target 'cpu' has no chip 'pocket'; it has aarch64, c11, cortex-m7, host
// TARGET: there is no target 'abacus'
