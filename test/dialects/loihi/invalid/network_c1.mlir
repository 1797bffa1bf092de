// RUN: not nc-opt %s 2>&1 | filecheck %s

// The body's arguments are the operands.

func.func @main(%x: tensor<4x1xi1>) {
  loihi.network steps 4 inputs(%x) {
  ^bb0(%i: tensor<4x2xi1>):
    loihi.output
  } : (tensor<4x1xi1>) -> ()
  func.return
}

// CHECK: the body's arguments do not have the operands' types
