// RUN: not nc-opt %s -p quantize-neurons 2>&1 | filecheck %s

// Everything that stands in the way is said at once: synapses without neurons between, decays that grow.

func.func @main(%x: tensor<?x1xf32>) -> (tensor<?x1xf32>, tensor<?x1x!snn.spikes<0, 1>>) {
  %y, %z = snn.network code "train" inputs(%x) {
  ^bb0(%t: tensor<?x1xf32>):
    %i = snn.input %t code "spikes" : tensor<?x1xf32> -> tensor<1xf32>
    %0 = snn.linear %i weight(dense<[[2.0]]> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
    %1 = snn.linear %0 weight(dense<[[2.0]]> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
    %2 = snn.integrate_and_fire %0 threshold(dense<1.0> : tensor<1xf32>) membrane_decay(dense<1.5> : tensor<1xf32>) : (tensor<1xf32>) -> tensor<1x!snn.spikes<0, 1>>
    snn.output %1, %2 : tensor<1xf32>, tensor<1x!snn.spikes<0, 1>>
  } : (tensor<?x1xf32>) -> (tensor<?x1xf32>, tensor<?x1x!snn.spikes<0, 1>>)
  func.return %y, %z : tensor<?x1xf32>, tensor<?x1x!snn.spikes<0, 1>>
}

// CHECK: the neurons cannot be quantised:
// CHECK: `snn.linear` {{.*}}: two synapses follow each other
// CHECK: `snn.integrate_and_fire` {{.*}}: its membrane_decay is 1.5: what should decay grows
