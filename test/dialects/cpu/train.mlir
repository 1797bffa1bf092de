// RUN: nc-opt %s | nc-opt | filecheck %s

// A program without an end: time is the first axis of what comes in and goes out, and loop nests run at every step but
// those that set the state.

func.func @main(%x: tensor<?x4xi32>) -> tensor<?x4xi32> {
  %y = cpu.program "network" inputs(%x) {
  ^bb0(%0: memref<4xi32>):
    %1 = cpu.buffer : memref<3x4xi32>
    %2 = cpu.buffer : memref<4xi32>
    cpu.fill %1 steps [0, 1] : memref<3x4xi32>
    cpu.recall %1 -> %2 delays(dense<[1, 2, 3, 3]> : tensor<4xi32>) : memref<3x4xi32> -> memref<4xi32>
    cpu.leak %2 decay(dense<3> : tensor<1xi32>) bits 2 : memref<4xi32>
    cpu.clamp %2 lowest(dense<-8> : tensor<1xi32>) highest(dense<7> : tensor<1xi32>) : memref<4xi32>
    cpu.remember %0 -> %1 : memref<4xi32> -> memref<3x4xi32>
    cpu.output %2 : memref<4xi32>
  } : (tensor<?x4xi32>) -> (tensor<?x4xi32>)
  func.return %y : tensor<?x4xi32>
}

// CHECK:      cpu.program "network" inputs(
// CHECK:      cpu.fill %{{.*}} steps [0, 1] : memref<3x4xi32>
// CHECK-NEXT: cpu.recall %{{.*}} -> %{{.*}} delays({{.*}}) : memref<3x4xi32> -> memref<4xi32>
// CHECK-NEXT: cpu.leak %{{.*}} decay({{.*}}) bits 2 : memref<4xi32>
// CHECK-NEXT: cpu.clamp %{{.*}} lowest({{.*}}) highest({{.*}}) : memref<4xi32>
// CHECK-NEXT: cpu.remember %{{.*}} -> %{{.*}} : memref<4xi32> -> memref<3x4xi32>
