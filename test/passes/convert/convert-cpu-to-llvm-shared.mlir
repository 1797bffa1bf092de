// RUN: nc-opt %s -p 'convert-cpu-to-llvm{features="baseline"}' | filecheck %s

// Loop nests that differ in their weights alone share a function; another number makes another one.

func.func @main(%x: tensor<2xi32>) -> tensor<2xi32> {
  %y = cpu.program "network" steps 1 inputs(%x) {
  ^bb0(%0: memref<2xi32>):
    %1 = cpu.buffer : memref<2xi32>
    cpu.charge %1 value(dense<[1, 2]> : tensor<2xi32>) steps [0, 1] : memref<2xi32>
    cpu.charge %1 value(dense<[3, 4]> : tensor<2xi32>) steps [0, 1] : memref<2xi32>
    cpu.charge %1 value(dense<5> : tensor<1xi32>) steps [0, 1] : memref<2xi32>
    cpu.output %1 : memref<2xi32>
  } : (tensor<2xi32>) -> (tensor<2xi32>)
  func.return %y : tensor<2xi32>
}

// CHECK: llvm.func internal @charge_0(%membrane: {{.*}}, %value: !llvm.ptr
// CHECK: llvm.func internal @charge_1(%membrane{{.*}}: {{.*}}, %step
// CHECK: llvm.mlir.constant(5 : i32) : i32
// CHECK: llvm.call @charge_0(%[[M:.*]], %[[ONE:.*]], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}})
// CHECK: llvm.call @charge_0(%[[M]], %[[TWO:.*]], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}})
// CHECK: llvm.call @charge_1(%[[M]],
// CHECK-NOT: @charge_2
