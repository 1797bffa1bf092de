// RUN: nc-opt %s --load-plugin %S/Inputs/plugin.py -p plugin-mark | filecheck %s --check-prefix=ONE
// RUN: nc-opt %s --load-plugin %S/Inputs/plugin.py -p 'builtin.module(plugin-mark{text="two"})' | filecheck %s --check-prefix=TWO
// RUN: nc-opt %s --load-plugin %S/Inputs/plugin.py --pass-pipeline='plugin-mark,builtin.module(plugin-mark{text=two})' | filecheck %s --check-prefix=TWO
// RUN: nc-opt %s --load-plugin %S/Inputs/plugin.py -p plugin-mark -p plugin-mark{text=two} | filecheck %s --check-prefix=TWO
// RUN: nc-opt %s --load-plugin %S/Inputs/plugin.py -p canonicalize,plugin-mark{text=two} --dump-pass-pipeline 2>&1 | filecheck %s --check-prefix=DUMP

// ONE: builtin.module attributes {plugin.mark = "seen"}
// TWO: builtin.module attributes {plugin.mark = "two"}
// DUMP: builtin.module(canonicalize,plugin-mark{text="two"})
// DUMP-NEXT: builtin.module attributes {plugin.mark = "two"}
builtin.module {}
