// RUN: nc-opt --list-passes | filecheck %s --check-prefix=PASSES
// RUN: nc-opt --show-dialects | filecheck %s --check-prefix=DIALECTS
// RUN: nc-opt --version | filecheck %s --check-prefix=VERSION
// RUN: nc-opt --help | filecheck %s --check-prefix=HELP

// PASSES:      ann-to-snn = defer-rounding,
// PASSES:      their options are in docs/reference/passes.md
// PASSES-NOT:  cse
// PASSES:      fuse-pad: {{[A-Z].*}}
// PASSES:      passes of xDSL
// PASSES-NEXT: {{^[a-z-]+$}}
// PASSES:      cse

// DIALECTS: ann
// DIALECTS: builtin
// DIALECTS: snn

// VERSION: nc-opt {{.*}} (xdsl 0.74.0)

// HELP: usage: nc-opt
// HELP: --run-reproducer
// HELP: examples:
