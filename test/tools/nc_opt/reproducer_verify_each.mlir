// RUN: not nc-opt %s --run-reproducer 2>&1 | filecheck %s

// A reproducer of a run that did verify verifies again.

// CHECK: error: {{.*}}ann.relu
func.func @main() {
  "ann.relu"() : () -> ()
  func.return
}

{-#
  external_resources: {
    mlir_reproducer: {
      pipeline: "builtin.module(cse)",
      verify_each: true
    }
  }
#-}
