// RUN: not nc-opt %s -p 'verify-target{target="cpu:cortex-m7"}' 2>&1 | filecheck %s
// RUN: nc-opt %s -p 'verify-target{target="cpu:aarch64"}' | filecheck %s --check-prefix LINUX

// A microcontroller has so much flash for weights, equal ones once, and so much memory for buffers and arrays.

func.func @main(%x: tensor<1500xi8>) -> tensor<3000xi32> {
  %y = cpu.program "model" for "cortex-m7" steps 2 inputs(%x) {
  ^bb0(%in: memref<1500xi8>):
    %v = cpu.buffer offset 0 : memref<3000xi32>
    %big = cpu.buffer offset 12032 : memref<1050000xi32>
    %out = cpu.buffer : memref<3000xi32>
    cpu.fill %v steps [0, 1] : memref<3000xi32>
    cpu.fill %big steps [0, 1] : memref<1050000xi32>
    cpu.linear %in -> %v weight(dense<1> : tensor<1500x3000xi8>) steps [0, 1] : memref<1500xi8> -> memref<3000xi32>
    cpu.linear %in -> %v weight(dense<1> : tensor<1500x3000xi8>) steps [1, 2] : memref<1500xi8> -> memref<3000xi32>
    cpu.copy %v -> %out sizes [3000] from 0 [1] to 0 [1] steps [1, 2] : memref<3000xi32> -> memref<3000xi32>
    cpu.output %out : memref<3000xi32>
  } : (tensor<1500xi8>) -> (tensor<3000xi32>)
  func.return %y : tensor<3000xi32>
}

// CHECK: the network does not fit cpu:cortex-m7:
// CHECK: memory_bytes is 4225532, and the system has 4161536 byte
// CHECK: weight_bytes is 4500000, and the system has 3932160 byte
// LINUX: cpu.program
