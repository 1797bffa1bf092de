// RUN: not nc-opt %s 2>&1 | filecheck %s

// Only a delay of at least one step may read what stands further down.

func.func @main(%events: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %y = snn.network code "train" inputs(%events) {
  ^bb0(%x: tensor<?x1xf32>):
    %i = snn.input %x code "spikes" : tensor<?x1xf32> -> tensor<1xf32>
    %b = snn.delay %a steps 0 extra(dense<1> : tensor<1xi32>) : tensor<1xf32> -> tensor<1xf32>
    %a = snn.add %i, %b : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
    snn.output %a : tensor<1xf32>
  } : (tensor<?x1xf32>) -> (tensor<?x1xf32>)
  func.return %y : tensor<?x1xf32>
}
// CHECK: `snn.delay` reads what stands further down, and is no delay of at least one step
