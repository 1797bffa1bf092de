// RUN: not nc-opt %s 2>&1 | filecheck %s

// There is a step for every row.

func.func @main(%x: tensor<4x1xi1>) {
  loihi.network steps 3 inputs(%x) {
  ^bb0(%i: tensor<4x1xi1>):
    %0 = loihi.source %i : tensor<4x1xi1> -> tensor<1xi1>
    loihi.output
  } : (tensor<4x1xi1>) -> ()
  func.return
}

// CHECK: a source has 4 rows for 3 steps
