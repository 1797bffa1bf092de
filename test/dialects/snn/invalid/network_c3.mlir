// RUN: not nc-opt %s 2>&1 | filecheck %s

// What a network puts out is what it returns.

func.func @main(%x: tensor<2xi32>) {
  %y = snn.network code "count" steps 1 inputs(%x) {
  ^bb0(%i: tensor<2xi32>):
    snn.output %i : tensor<2xi32>
  } : (tensor<2xi32>) -> (tensor<3xi32>)
  func.return
}

// CHECK: error: 'snn.network' the body does not end in an `snn.output` of the results' types
