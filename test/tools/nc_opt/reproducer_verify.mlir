// RUN: not nc-opt %s --run-reproducer --load-plugin %S/Inputs/plugin.py 2>&1 | filecheck %s

// A reproducer of a run that did not verify does not verify either: the pass fails again, not the verifier.

// CHECK: nc-opt: error: pass 'plugin-fail': KeyError: 'no such thing'
func.func @main() {
  "ann.relu"() : () -> ()
  func.return
}

{-#
  external_resources: {
    mlir_reproducer: {
      pipeline: "builtin.module(plugin-fail)",
      verify_each: false
    }
  }
#-}
