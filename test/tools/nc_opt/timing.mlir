// RUN: nc-opt %s -p cse,canonicalize --timing -o %t 2>&1 | filecheck %s
// RUN: nc-opt %s -p cse --timing 2> %t | filecheck %s --check-prefix=STDOUT

// CHECK: {{[0-9.]+}} ms {{ *[0-9.]+}} %  parse
// CHECK-NEXT: {{[0-9.]+}} ms {{ *[0-9.]+}} %  cse
// CHECK-NEXT: {{[0-9.]+}} ms {{ *[0-9.]+}} %  canonicalize
// CHECK-NEXT: {{[0-9.]+}} ms {{ *[0-9.]+}} %  output
// CHECK-NEXT: {{[0-9.]+}} ms {{ *[0-9.]+}} %  total

// STDOUT-NOT: ms
builtin.module {}
