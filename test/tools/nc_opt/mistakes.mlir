// RUN: not nc-opt %s -p nonsense 2>&1 | filecheck %s --check-prefix=PASS
// RUN: not nc-opt %s -p canonicalise 2>&1 | filecheck %s --check-prefix=NEAR
// RUN: not nc-opt %s -p cse{x=1} 2>&1 | filecheck %s --check-prefix=OPTION
// RUN: not nc-opt %s -p func.func(cse) 2>&1 | filecheck %s --check-prefix=ANCHOR
// RUN: not nc-opt %s --nonsense 2>&1 | filecheck %s --check-prefix=ARGUMENT
// RUN: not nc-opt %s --inline-limit=-1 2>&1 | filecheck %s --check-prefix=LIMIT
// RUN: not nc-opt %s -t nonsense 2>&1 | filecheck %s --check-prefix=TARGET
// RUN: not nc-opt %s -t 'mlir{x=1}' 2>&1 | filecheck %s --check-prefix=MLIR
// RUN: not nc-opt %s -p quantize-activations{timesteps=true} 2>&1 | filecheck %s --check-prefix=TRUE
// RUN: not nc-opt %s --print-ir-after=nonsense 2>&1 | filecheck %s --check-prefix=DUMP
// RUN: not nc-opt %s --load-plugin %S/Inputs/none.py 2>&1 | filecheck %s --check-prefix=PLUGIN
// RUN: not nc-opt %S/none.mlir 2>&1 | filecheck %s --check-prefix=MISSING

// PASS: nc-opt: error: unknown pass 'nonsense'
// NEAR: nc-opt: error: unknown pass 'canonicalise'; did you mean 'canonicalize'?
// OPTION: nc-opt: error: pass 'cse' has no option 'x'; it has none
// ANCHOR: nc-opt: error: passes run on whole modules: 'func.func(...)' cannot hold a pipeline, only builtin.module(...) can
// ARGUMENT: nc-opt: error: unrecognized arguments: --nonsense (see nc-opt --help)
// LIMIT: nc-opt: error: argument --inline-limit: expected a number of bytes, found '-1' (see nc-opt --help)
// TARGET: nc-opt: error: unknown target 'nonsense'; available are
// MLIR: nc-opt: error: target 'mlir{x=1}': mlir takes no options
// TRUE: nc-opt: error: pass 'quantize-activations': expected a number, found true or false
// DUMP: nc-opt: error: unknown pass 'nonsense' in --print-ir-before or --print-ir-after
// PLUGIN: nc-opt: error: plug-in {{.*}}none.py: no such file
// MISSING: none.mlir: error: cannot read: No such file or directory
builtin.module {}
