// RUN: nc-opt %s -p 'convert-cpu-to-llvm{features="baseline"}' | filecheck %s

// Without an end: the first step sets the state, arrays move on with time.

func.func @main(%x: tensor<?x4xi32>) -> tensor<?x4xi32> {
  %y = cpu.program "network" inputs(%x) {
  ^bb0(%0: memref<4xi32>):
    %1 = cpu.buffer offset 0 : memref<4xi32>
    %2 = cpu.buffer : memref<4xi32>
    cpu.fill %1 steps [0, 1] : memref<4xi32>
    cpu.add %0 -> %1 : memref<4xi32> -> memref<4xi32>
    cpu.copy %1 -> %2 sizes [4] from 0 [1] to 0 [1] : memref<4xi32> -> memref<4xi32>
    cpu.output %2 : memref<4xi32>
  } : (tensor<?x4xi32>) -> (tensor<?x4xi32>)
  func.return %y : tensor<?x4xi32>
}

// CHECK-LABEL: llvm.func @network_share(
// CHECK: %[[BEGIN:.*]] = llvm.icmp "eq" %[[FIRST:.*]], %{{.*}} : i64
// CHECK-NEXT: llvm.cond_br %[[BEGIN]]
// CHECK: llvm.call @fill_0(
// CHECK: llvm.br ^[[HEAD:.*]](%[[FIRST]], %{{.*}}, %{{.*}} : i64, !llvm.ptr, !llvm.ptr)
// CHECK: ^[[HEAD]](%[[STEP:.*]]: i64, %[[INPUT:.*]]: !llvm.ptr, %[[OUTPUT:.*]]: !llvm.ptr):
// CHECK: llvm.call @add_0(%[[INPUT]],
// CHECK: llvm.call @copy_0(%{{.*}}, %[[OUTPUT]],
// CHECK: %[[NEXT:.*]] = llvm.getelementptr inbounds %[[INPUT]]
// CHECK-LABEL: llvm.func @network_run(%state: !llvm.ptr, %weights: !llvm.ptr, %first: i32, %steps: i32, %input: !llvm.ptr, %output: !llvm.ptr, %counts: !llvm.ptr)
