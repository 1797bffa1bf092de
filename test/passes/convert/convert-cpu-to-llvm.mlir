// RUN: nc-opt %s -p 'convert-cpu-to-llvm{features="baseline"}' | filecheck %s

// A loop nest is a function of its own, whose pointers do not alias; the program calls it. What C calls is packed.

func.func @main(%x: tensor<4xi8>) -> tensor<4xi8> {
  %y = cpu.program "network" steps 1 inputs(%x) {
  ^bb0(%0: memref<4xi8>):
    %1 = cpu.buffer offset 64 : memref<4xi8>
    %2 = cpu.buffer : memref<4xi8>
    cpu.copy %0 -> %1 sizes [4] from 0 [1] to 0 [1] steps [0, 1] : memref<4xi8> -> memref<4xi8>
    cpu.add %1 -> %2 steps [0, 1] : memref<4xi8> -> memref<4xi8>
    cpu.output %2 : memref<4xi8>
  } : (tensor<4xi8>) -> (tensor<4xi8>)
  func.return %y : tensor<4xi8>
}

// CHECK-LABEL: llvm.func internal @copy_0(
// CHECK: llvm.call_intrinsic "llvm.memcpy.p0.p0.i64"
// CHECK-LABEL: llvm.func internal @add_0(%source{{.*}}: !llvm.ptr {llvm.align = 64 : i64, llvm.nocapture, llvm.noalias}, %membrane: !llvm.ptr {llvm.align = 1 : i64, llvm.nocapture, llvm.noalias}, %step{{.*}}: i64, %passed{{.*}}: i64, %thread{{.*}}: i64, %threads{{.*}}: i64)
// CHECK: %[[A:.*]] = llvm.load {{.*}} -> i8
// CHECK: %[[B:.*]] = llvm.load {{.*}} -> i8
// CHECK: llvm.add %[[B]], %[[A]] : i8
// CHECK-LABEL: llvm.func @network_share(%arguments: !llvm.ptr, %thread{{.*}}: i64, %threads{{.*}}: i64, %team: !llvm.ptr)
// CHECK: llvm.call @copy_0(
// CHECK: llvm.call @add_0(
// CHECK-LABEL: llvm.func @network_run(%state: !llvm.ptr, %weights: !llvm.ptr, %input: !llvm.ptr, %output: !llvm.ptr, %counts: !llvm.ptr)
// CHECK: llvm.call @network_share(
// CHECK-NOT: func.func
