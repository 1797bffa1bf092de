// RUN: not nc-opt %s -p 'convert-cpu-to-llvm{features="z80"}' 2>&1 | filecheck %s
// RUN: not nc-opt %s -p 'convert-cpu-to-llvm{features="baseline"}' 2>&1 | filecheck %s --check-prefix=KERNEL

// CHECK: error: features are one of host, baseline, avx2, avx512vnni, neon, not 'z80'
// KERNEL: llvm: `cpu.fill` has no kernel 'abacus'

func.func @main(%x: tensor<4xi32>) -> tensor<4xi32> {
  %y = cpu.program "network" steps 1 inputs(%x) {
  ^bb0(%0: memref<4xi32>):
    %1 = cpu.buffer : memref<4xi32>
    cpu.fill %1 steps [0, 1] {kernel = "abacus"} : memref<4xi32>
    cpu.output %1 : memref<4xi32>
  } : (tensor<4xi32>) -> (tensor<4xi32>)
  func.return %y : tensor<4xi32>
}
