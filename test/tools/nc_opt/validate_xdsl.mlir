// RUN: nc-opt %s --split-input-file -p canonicalize,cse,dce --validate | filecheck %s
// RUN: nc-opt %s --split-input-file -p cse --validate 2>&1 | filecheck %s --check-prefix=NONE

// The passes of xDSL that change no value are checked as ours are; where there is no network to run, that is said.

// CHECK:      %y = ann.relu %x
// CHECK-NEXT: func.return %y
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = ann.relu %x : tensor<4xf32> -> tensor<4xf32>
  %z = ann.relu %y : tensor<4xf32> -> tensor<4xf32>
  func.return %z : tensor<4xf32>
}
// -----
// NONE: nc-opt: warning: cse was not validated: the module has no single function @main of tensors that could be run
func.func @one(%x: tensor<4xf32>) -> tensor<4xf32> {
  func.return %x : tensor<4xf32>
}
func.func @other(%x: tensor<4xf32>) -> tensor<4xf32> {
  func.return %x : tensor<4xf32>
}
