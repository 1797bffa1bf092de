// RUN: nc-opt %s -p 'convert-cpu-to-llvm{features="baseline"}' | filecheck %s

// Clipped as it is compared, so that NaN is the lowest; then rounded to even by adding 2^52 + 2^51.

func.func @main(%x: tensor<4xf32>) -> tensor<4xui8> {
  %y = cpu.program "network" steps 1 inputs(%x) {
  ^bb0(%0: memref<4xf32>):
    %1 = cpu.buffer : memref<4xui8>
    cpu.quantize %0 -> %1 step(dense<0.5> : tensor<1xf64>) shift(dense<0.25> : tensor<1xf64>) clip 0 to 15 steps [0, 1] : memref<4xf32> -> memref<4xui8>
    cpu.output %1 : memref<4xui8>
  } : (tensor<4xf32>) -> (tensor<4xui8>)
  func.return %y : tensor<4xui8>
}

// CHECK: llvm.fpext %{{.*}} : f32 to f64
// CHECK: llvm.fsub
// CHECK: %[[LEVEL:.*]] = llvm.fdiv
// CHECK: llvm.fcmp "olt" %[[LEVEL]]
// CHECK: llvm.select
// CHECK: llvm.fcmp "oge" %[[LEVEL]]
// CHECK: %[[CLIPPED:.*]] = llvm.select
// CHECK: %[[SUM:.*]] = llvm.fadd %[[CLIPPED]]
// CHECK: %[[BITS:.*]] = llvm.bitcast %[[SUM]] : f64 to i64
// CHECK: llvm.trunc %[[BITS]] : i64 to i8
