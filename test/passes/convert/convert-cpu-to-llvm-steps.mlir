// RUN: nc-opt %s -p 'convert-cpu-to-llvm{features="baseline"}' | filecheck %s

// The clock: what runs at every step is called, what does not is called at its steps.

func.func @main(%x: tensor<4xi32>) -> tensor<4xi32> {
  %y = cpu.program "network" steps 8 inputs(%x) {
  ^bb0(%0: memref<4xi32>):
    %1 = cpu.buffer : memref<4xi32>
    cpu.fill %1 steps [0, 1] : memref<4xi32>
    cpu.add %0 -> %1 steps [0, 8] : memref<4xi32> -> memref<4xi32>
    cpu.charge %1 value(dense<7> : tensor<1xi32>) steps [2, 5] : memref<4xi32>
    cpu.output %1 : memref<4xi32>
  } : (tensor<4xi32>) -> (tensor<4xi32>)
  func.return %y : tensor<4xi32>
}

// CHECK-LABEL: llvm.func @network_share(
// CHECK: ^[[HEAD:.*]](%[[STEP:.*]]: i64):
// CHECK: llvm.icmp "slt" %[[STEP]], %{{.*}} : i64
// CHECK: %[[FIRST:.*]] = llvm.icmp "eq" %[[STEP]], %{{.*}} : i64
// CHECK-NEXT: llvm.cond_br %[[FIRST]], ^[[FILL:.*]], ^[[ADD:.*]]
// CHECK: ^[[FILL]]:
// CHECK: llvm.call @fill_0(
// CHECK: ^[[ADD]]:
// CHECK: llvm.call @add_0(
// CHECK: llvm.icmp "sge" %[[STEP]]
// CHECK: llvm.icmp "slt" %[[STEP]]
// CHECK: llvm.cond_br
// CHECK: %[[PASSED:.*]] = llvm.add %[[STEP]], %{{.*}} overflow<nsw> : i64
// CHECK: llvm.call @charge_0(%{{.*}}, %[[STEP]], %[[PASSED]], %thread{{.*}}, %threads{{.*}})
