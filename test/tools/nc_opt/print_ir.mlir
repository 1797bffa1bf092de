// RUN: nc-opt %s --load-plugin %S/Inputs/plugin.py -p plugin-mark,cse --print-ir-before-all -o %t 2>&1 | filecheck %s --check-prefix=BEFORE
// RUN: nc-opt %s --load-plugin %S/Inputs/plugin.py -p plugin-mark,cse --print-ir-after-all -o %t 2>&1 | filecheck %s --check-prefix=AFTER
// RUN: nc-opt %s --load-plugin %S/Inputs/plugin.py -p plugin-mark,cse --print-ir-after-change -o %t 2>&1 | filecheck %s --check-prefix=CHANGE
// RUN: nc-opt %s --load-plugin %S/Inputs/plugin.py -p plugin-mark,cse --print-ir-before=cse --print-ir-after=plugin-mark -o %t 2>&1 | filecheck %s --check-prefix=NAMED
// RUN: not nc-opt %s --load-plugin %S/Inputs/plugin.py -p plugin-mark,plugin-fail --print-ir-after-failure 2>&1 | filecheck %s --check-prefix=FAILURE
// RUN: nc-opt %s -p cse --print-ir-after-all 2> %t | filecheck %s --check-prefix=STDOUT

// BEFORE: // *** IR Dump Before plugin-mark ***
// BEFORE-NEXT: builtin.module {
// BEFORE: // *** IR Dump Before cse ***
// BEFORE-NEXT: builtin.module attributes {plugin.mark = "seen"} {

// AFTER: // *** IR Dump After plugin-mark ***
// AFTER-NEXT: builtin.module attributes {plugin.mark = "seen"} {
// AFTER: // *** IR Dump After cse ***

// CHANGE: // *** IR Dump After plugin-mark ***
// CHANGE-NOT: IR Dump

// NAMED-NOT: Before plugin-mark
// NAMED: // *** IR Dump After plugin-mark ***
// NAMED: // *** IR Dump Before cse ***
// NAMED-NOT: After cse

// FAILURE: // *** IR Dump After failed plugin-fail ***
// FAILURE-NEXT: builtin.module attributes {plugin.mark = "seen", plugin.half = "done"} {

// STDOUT-NOT: IR Dump
// STDOUT: builtin.module
func.func @main() {
  func.return
}
