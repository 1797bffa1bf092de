// RUN: nc-opt %s -p 'convert-cpu-to-llvm{features="avx2"}' | filecheck %s --check-prefixes=CHECK,AVX2
// RUN: nc-opt %s -p 'convert-cpu-to-llvm{features="avx512vnni"}' | filecheck %s --check-prefixes=CHECK,AVX512

// What is not zero is listed, 64 elements at once; then a row of weights is added for each, sums stay in registers.

func.func @main(%x: tensor<64xi1>) -> tensor<32xi32> {
  %y = cpu.program "network" steps 1 inputs(%x) {
  ^bb0(%0: memref<64xi1>):
    %1 = cpu.buffer : memref<32xi32>
    cpu.linear %0 -> %1 weight(dense<1> : tensor<64x32xi8>) steps [0, 1] : memref<64xi1> -> memref<32xi32>
    cpu.output %1 : memref<32xi32>
  } : (tensor<64xi1>) -> (tensor<32xi32>)
  func.return %y : tensor<32xi32>
}

// CHECK-LABEL: llvm.func internal @linear_0(
// CHECK: %[[MASK:.*]] = llvm.icmp "ne" %{{.*}}, %{{.*}} : vector<64xi8>
// AVX2: llvm.bitcast %[[MASK]] : vector<64xi1> to i64
// AVX2: llvm.call_intrinsic "llvm.cttz.i64"
// AVX512: llvm.call_intrinsic "llvm.experimental.vector.compress.v64i8"({{.*}}, %[[MASK]]
// AVX512: llvm.call_intrinsic "llvm.ctpop.i64"
// AVX2: llvm.sext %{{.*}} : vector<8xi8> to vector<8xi32>
// AVX2-NEXT: llvm.add %{{.*}}, %{{.*}} : vector<8xi32>
// AVX512: llvm.sext %{{.*}} : vector<16xi8> to vector<16xi32>
// AVX512-NEXT: llvm.add %{{.*}}, %{{.*}} : vector<16xi32>
