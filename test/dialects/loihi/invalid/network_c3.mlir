// RUN: not nc-opt %s 2>&1 | filecheck %s

// What a network puts out is what it returns, along time.

func.func @main(%x: tensor<4x1xi1>) {
  loihi.network steps 4 inputs(%x) {
  ^bb0(%i: tensor<4x1xi1>):
    %0 = loihi.source %i : tensor<4x1xi1> -> tensor<1xi1>
    loihi.output %0 : tensor<1xi1>
  } : (tensor<4x1xi1>) -> ()
  func.return
}

// CHECK: the body does not end in a `loihi.output` of the results' types
