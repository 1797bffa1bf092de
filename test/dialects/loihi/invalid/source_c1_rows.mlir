// RUN: not nc-opt %s 2>&1 | filecheck %s

// A source has rows.

func.func @main(%x: tensor<i1>) {
  %0 = loihi.source %x : tensor<i1> -> tensor<i1>
  func.return
}

// CHECK: the input has no rows
