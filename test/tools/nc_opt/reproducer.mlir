// RUN: not nc-opt %s --load-plugin %S/Inputs/plugin.py -p plugin-mark{text=a},plugin-fail,plugin-mark{text=b} --crash-reproducer %t.mlir 2>&1 | filecheck %s --check-prefix=NOTE
// RUN: cat %t.mlir | filecheck %s
// RUN: not nc-opt %t.mlir --load-plugin %S/Inputs/plugin.py --run-reproducer 2>&1 | filecheck %s --check-prefix=AGAIN
// RUN: nc-opt %t.mlir | filecheck %s --check-prefix=READ
// RUN: not nc-opt %s --run-reproducer 2>&1 | filecheck %s --check-prefix=NONE
// RUN: not nc-opt %t.mlir --run-reproducer -p cse 2>&1 | filecheck %s --check-prefix=TWICE

// NOTE: nc-opt: note: reproducer written to {{.*}}.mlir; run it with --run-reproducer
// NOTE-NEXT: nc-opt: error: pass 'plugin-fail': KeyError: 'no such thing'

// CHECK: builtin.module attributes {plugin.mark = "a"} {
// CHECK-NOT: plugin.half
// CHECK: func.func @main()
// CHECK: loc("{{.*}}reproducer.mlir":
// CHECK: external_resources: {
// CHECK-NEXT: mlir_reproducer: {
// CHECK-NEXT: pipeline: "builtin.module(plugin-fail,plugin-mark{text=\22b\22})",
// CHECK-NEXT: verify_each: true

// AGAIN: nc-opt: error: pass 'plugin-fail': KeyError: 'no such thing'
// READ: builtin.module attributes {plugin.mark = "a"} {
// NONE: nc-opt: error: {{.*}}reproducer.mlir: no reproducer: external_resources hold no mlir_reproducer pipeline
// TWICE: nc-opt: error: --run-reproducer takes its pipeline from the file; give no other
func.func @main() {
  func.return
}
