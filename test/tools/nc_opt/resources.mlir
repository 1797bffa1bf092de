// RUN: nc-opt %s | nc-opt | filecheck %s
// RUN: nc-opt %s --elide | filecheck %s --check-prefix=ELIDED
// RUN: nc-opt %s --elide | nc-opt | filecheck %s --check-prefix=ELIDED

// CHECK: {value = dense_resource<w_b7707dade5217e2d> : tensor<65xi8>}
// CHECK: dialect_resources: {
// CHECK-NEXT: builtin: {
// CHECK-NEXT: w_{{[0-9a-f]+}}: "0x0400000001020304

// ELIDED: dense_resource<w_{{[0-9a-f]+}}>
// ELIDED-NOT: dialect_resources
"test.op"() {value = dense_resource<w_b7707dade5217e2d> : tensor<65xi8>} : () -> ()

{-#
  dialect_resources: {
    builtin: {
      w_b7707dade5217e2d: "0x040000000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F4041"
    }
  }
#-}
