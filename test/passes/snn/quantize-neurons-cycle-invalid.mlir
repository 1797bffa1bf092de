// RUN: not nc-opt %s -p quantize-neurons 2>&1 | filecheck %s

// A cycle without a neuron has no unit.

func.func @main(%x: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %y = snn.network code "train" inputs(%x) {
  ^bb0(%t: tensor<?x1xf32>):
    %i = snn.input %t code "spikes" : tensor<?x1xf32> -> tensor<1xf32>
    %b = snn.delay %o steps 1 : tensor<1xf32> -> tensor<1xf32>
    %o = snn.add %i, %b : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
    snn.output %o : tensor<1xf32>
  } : (tensor<?x1xf32>) -> (tensor<?x1xf32>)
  func.return %y : tensor<?x1xf32>
}

// CHECK: `snn.delay` {{.*}}: its value comes back to it with no neuron between
