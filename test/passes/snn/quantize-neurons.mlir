// RUN: nc-opt %s -p quantize-neurons --validate | filecheck %s

// Each channel has its own unit, in which its largest weight is 127; the bias of a synapse becomes that of the neurons;
// what the neurons compare counts in 64ths of the unit, and a decay in 4096ths.

func.func @main(%x: tensor<?x2xf32>) -> tensor<?x2x!snn.spikes<0, 1>> {
  %y = snn.network code "train" inputs(%x) {
  ^bb0(%t: tensor<?x2xf32>):
    %i = snn.input %t code "spikes" : tensor<?x2xf32> -> tensor<2xf32>
    %0 = snn.linear %i weight(dense<[[1.27, -0.5], [0.1, 12.7]]> : tensor<2x2xf32>) bias(dense<[0.5, 0.0]> : tensor<2xf32>) : tensor<2xf32> -> tensor<2xf32>
    %1 = snn.integrate_and_fire %0 threshold(dense<1.0> : tensor<1xf32>) membrane_decay(dense<[0.5, 0.9]> : tensor<2xf32>) : (tensor<2xf32>) -> tensor<2x!snn.spikes<0, 1>>
    snn.output %1 : tensor<2x!snn.spikes<0, 1>>
  } : (tensor<?x2xf32>) -> (tensor<?x2x!snn.spikes<0, 1>>)
  func.return %y : tensor<?x2x!snn.spikes<0, 1>>
}

// CHECK:      host.quantize {{.*}} -> tensor<?x2x!ann.count<0, 255>>
// CHECK:      snn.linear {{.*}} weight(dense<[[127, -50], [1, 127]]> : tensor<2x2xi8>) : tensor<2x!snn.graded<0, 255>> -> tensor<2xi32>
// CHECK-NEXT: snn.integrate_and_fire {{.*}} threshold(dense<[6400, 640]> : tensor<2xi32>) bias(dense<[3200, 0]> : tensor<2xi32>) membrane_decay(dense<[2048, 3686]> : tensor<2xi32>) shift 6 decay_bits 12 state_bits 30
