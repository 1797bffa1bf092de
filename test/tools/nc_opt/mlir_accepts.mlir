// REQUIRES: mlir-opt
// RUN: nc-opt %s --print-op-generic | mlir-opt --allow-unregistered-dialect | filecheck %s
// RUN: nc-opt %s --print-op-generic | mlir-opt --allow-unregistered-dialect | nc-opt | filecheck %s --check-prefix=BACK

// MLIR prints 117 bits as 15 bytes; both read each other's form.
// CHECK: bits = dense<"0x
// CHECK: floats = dense<[0x7F800000, 0xFFC00001, 0x4996B438, -0.000000e+00]> : tensor<4xf32>
// CHECK: odd = dense<"0x
// CHECK: resource = dense_resource<w> : tensor<4xi8>
// CHECK: w: "0x0400000001020304"

// BACK: bits = dense<[true, false, false, true, false, false
// BACK: odd = dense<[0, 1, -2, 3
"test.op"() {
  floats = dense<[0x7F800000, 0xFFC00001, 0x4996B438, -0.0]> : tensor<4xf32>,
  bits = dense<[true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false, true, false, false]> : tensor<117xi1>,
  odd = dense<[0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3, 0, 1, -2, 3]> : tensor<120xi24>,
  resource = dense_resource<w> : tensor<4xi8>
} : () -> ()

{-# dialect_resources: { builtin: { w: "0x0400000001020304" } } #-}
