// RUN: nc-opt %s --split-input-file -p cse | filecheck %s
// CHECK: func.func @a
// CHECK: // -----
// CHECK: func.func @b
func.func @a() {
  func.return
}
// -----
func.func @b() {
  func.return
}
