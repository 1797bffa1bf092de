// RUN: not nc-opt %s -p 'verify-target{target="cpu:host"}' 2>&1 | filecheck %s

// Everything that is too large is listed.

func.func @main(%x: tensor<2xi8>) -> tensor<2xi8> {
  %y = cpu.program "network" steps 4294967296 inputs(%x) {
  ^bb0(%0: memref<2xi8>):
    %1 = cpu.buffer "layer1" range [0, 4294967295] offset 4294967296 : memref<2xi32>
    cpu.fill %1 steps [0, 1] : memref<2xi32>
    %2 = cpu.buffer : memref<2xi8>
    cpu.fill %2 steps [0, 1] : memref<2xi8>
    cpu.output %2 : memref<2xi8>
  } : (tensor<2xi8>) -> (tensor<2xi8>)
  func.return %y : tensor<2xi8>
}

// CHECK: the network does not fit cpu:host:
// CHECK: `cpu.program`{{.*}}: steps is 4294967296, and the chip has 2147483647 step (datasheet: the clock is an int32_t)
// CHECK: `cpu.buffer`{{.*}}: accumulator_bits is 33, and the chip has 32 bit
// CHECK: the whole network: state_bytes is 4294967304
