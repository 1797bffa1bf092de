// RUN: nc-opt %s --load-plugin %S/Inputs/plugin.py | filecheck %s
// RUN: not nc-opt %s 2>&1 | filecheck %s --check-prefix=WITHOUT

// CHECK: plugin.hello
// WITHOUT: plugins.mlir:6:1: error: operation 'plugin.hello' is not known
plugin.hello
