// RUN: nc-opt %s -p allocate-buffers | filecheck %s

// Within a step, memory is free again behind the last loop nest that touches it.

func.func @main(%x: tensor<64xui8>) -> tensor<64xui8> {
  %y = cpu.program "network" steps 1 inputs(%x) {
  ^bb0(%0: memref<64xui8>):
    %1 = cpu.buffer "first" : memref<64xui8>
    %2 = cpu.buffer "second" : memref<64xui8>
    %3 = cpu.buffer "third" : memref<64xui8>
    %4 = cpu.buffer "result" : memref<64xui8>
    cpu.add %0 -> %1 steps [0, 1] : memref<64xui8> -> memref<64xui8>
    cpu.add %1 -> %2 steps [0, 1] : memref<64xui8> -> memref<64xui8>
    cpu.add %2 -> %3 steps [0, 1] : memref<64xui8> -> memref<64xui8>
    cpu.add %3 -> %4 steps [0, 1] : memref<64xui8> -> memref<64xui8>
    cpu.output %4 : memref<64xui8>
  } : (tensor<64xui8>) -> (tensor<64xui8>)
  func.return %y : tensor<64xui8>
}

// CHECK: cpu.buffer "first" offset 0
// CHECK: cpu.buffer "second" offset 64
// CHECK: cpu.buffer "third" offset 0
// CHECK: cpu.buffer "result" : memref
