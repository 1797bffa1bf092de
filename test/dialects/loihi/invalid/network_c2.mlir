// RUN: not nc-opt %s 2>&1 | filecheck %s

// A network runs for a step at least.

func.func @main(%x: tensor<4x1xi1>) {
  loihi.network steps 0 inputs(%x) {
  ^bb0(%i: tensor<4x1xi1>):
    loihi.output
  } : (tensor<4x1xi1>) -> ()
  func.return
}

// CHECK: 0 steps are too few
