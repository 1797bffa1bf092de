// RUN: not nc-opt %s 2>&1 | filecheck %s

// How long spike trains are is not for the network to say.

func.func @main(%events: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %y = snn.network code "train" steps 8 inputs(%events) {
  ^bb0(%x: tensor<?x1xf32>):
    %i = snn.input %x code "spikes" : tensor<?x1xf32> -> tensor<1xf32>
    snn.output %i : tensor<1xf32>
  } : (tensor<?x1xf32>) -> (tensor<?x1xf32>)
  func.return %y : tensor<?x1xf32>
}
// CHECK: code "train" with 8 steps
