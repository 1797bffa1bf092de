// RUN: nc-opt %s -p 'convert-cpu-to-llvm{features="baseline"}' | filecheck %s

// Threads share what can be shared; what cannot, the first one does; all wait for each other in between.

func.func @main(%x: tensor<8xi1>) -> tensor<16xi32> {
  %y = cpu.program "network" steps 1 inputs(%x) {
  ^bb0(%0: memref<8xi1>):
    %1 = cpu.buffer : memref<16xi32>
    cpu.fill %1 steps [0, 1] : memref<16xi32>
    %2 = cpu.buffer offset 0 : memref<1x1x2xi8>
    %3 = cpu.buffer offset 64 : memref<1x1x2xi8>
    %4 = cpu.buffer offset 128 : memref<1x1x2xi16>
    %5 = cpu.buffer offset 192 : memref<1x1x2xi16>
    cpu.running_max_pool2d %2 -> %3 counts %4 highest %5 kernel [1, 1] stride [1, 1] padding [0, 0, 0, 0] dilation [1, 1] steps [0, 1] : memref<1x1x2xi8> -> memref<1x1x2xi8>, memref<1x1x2xi16>, memref<1x1x2xi16>
    cpu.output %1 : memref<16xi32>
  } : (tensor<8xi1>) -> (tensor<16xi32>)
  func.return %y : tensor<16xi32>
}

// CHECK-LABEL: llvm.func @network_share(
// CHECK: llvm.call @fill_0({{.*}}, %thread{{.*}}, %threads{{.*}})
// CHECK-NEXT: llvm.call @neurocuda_barrier(%team, %threads{{.*}})
// CHECK: %[[FIRST:.*]] = llvm.icmp "eq" %thread{{.*}}, %[[ZERO:.*]] : i64
// CHECK-NEXT: llvm.cond_br %[[FIRST]], ^[[ALONE:.*]], ^[[ALL:.*]]
// CHECK: ^[[ALONE]]:
// CHECK: llvm.call @running_max_pool2d_0({{.*}}, %[[ZERO]], %{{.*}})
// CHECK: ^[[ALL]]:
// CHECK-NEXT: llvm.call @neurocuda_barrier(%team, %threads{{.*}})
