// RUN: not nc-opt %s 2>&1 | filecheck %s

// Trains come out along time.

func.func @main(%events: tensor<?x1xf32>) -> tensor<1xf32> {
  %y = snn.network code "train" inputs(%events) {
  ^bb0(%x: tensor<?x1xf32>):
    %i = snn.input %x code "spikes" : tensor<?x1xf32> -> tensor<1xf32>
    snn.output %i : tensor<1xf32>
  } : (tensor<?x1xf32>) -> (tensor<1xf32>)
  func.return %y : tensor<1xf32>
}
// CHECK: the body does not end in an `snn.output` of the results' types
