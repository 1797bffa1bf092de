// RUN: nc-opt %s -p 'convert-cpu-to-llvm{features="baseline"}' | filecheck %s

// Where the caller wants counts, what neurons say is added to their counters.

func.func @main(%x: tensor<4xi32>) -> tensor<4xi32> {
  %y = cpu.program "network" steps 2 inputs(%x) {
  ^bb0(%0: memref<4xi32>):
    %1 = cpu.buffer offset 0 : memref<4xi32>
    %2 = cpu.buffer offset 64 : memref<4xi1>
    %3 = cpu.buffer : memref<4xi32>
    cpu.add %0 -> %1 steps [0, 2] : memref<4xi32> -> memref<4xi32>
    cpu.fire %1 -> %2 threshold(dense<9> : tensor<1xi32>) layout [0] steps [0, 2] {nc.origin = "relu"} : memref<4xi32> -> memref<4xi1>
    cpu.output %3 : memref<4xi32>
  } : (tensor<4xi32>) -> (tensor<4xi32>)
  func.return %y : tensor<4xi32>
}

// CHECK-LABEL: llvm.func internal @tally_0(
// CHECK: llvm.zext %{{.*}} : i8 to i16
// CHECK: llvm.add %{{.*}}, %{{.*}} : i16
// CHECK-LABEL: llvm.func @network_share(
// CHECK: %[[COUNTING:.*]] = llvm.icmp "ne"
// CHECK: llvm.cond_br %[[COUNTING]]
// CHECK: llvm.call_intrinsic "llvm.memset.p0.i64"
// CHECK: llvm.call @fire_0(
// CHECK: llvm.cond_br %[[COUNTING]]
// CHECK: llvm.call @tally_0(
