// RUN: not nc-opt %s --split-input-file 2>&1 | filecheck %s
// CHECK: split_errors.mlir:7:11: error: value %x is not defined
func.func @a() {
  func.return
}
// -----
"test.op"(%x) : (i32) -> ()
