// RUN: not nc-opt %s 2>&1 | filecheck %s

// A source sends its rows.

func.func @main(%x: tensor<4x2xi1>) {
  %0 = loihi.source %x : tensor<4x2xi1> -> tensor<4xi1>
  func.return
}

// CHECK: expected a result of shape (2,), found (4,)
