// RUN: nc-opt %s -p 'quantize-neurons' | filecheck %s

// A cycle: what a layer says comes back to it with a synapse and a delay of floats between. A readout leaves the
// network as an integer and becomes a float on the host.

func.func @main(%x: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %y = snn.network code "train" inputs(%x) {
  ^bb0(%t: tensor<?x1xf32>):
    %i = snn.input %t code "spikes" : tensor<?x1xf32> -> tensor<1xf32>
    %b = snn.delay %r steps 1 : tensor<1xf32> -> tensor<1xf32>
    %0 = snn.linear %i weight(dense<[[2.0]]> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
    %s = snn.integrate_and_fire %0, %b threshold(dense<1.0> : tensor<1xf32>) reset "zero" reset_value(dense<0.5> : tensor<1xf32>) current_decay(dense<0.5> : tensor<1xf32>) : (tensor<1xf32>, tensor<1xf32>) -> tensor<1x!snn.spikes<0, 1>>
    %r = snn.linear %s weight(dense<[[-1.0]]> : tensor<1x1xf32>) : tensor<1x!snn.spikes<0, 1>> -> tensor<1xf32>
    %l = snn.linear %s weight(dense<[[4.0]]> : tensor<1x1xf32>) : tensor<1x!snn.spikes<0, 1>> -> tensor<1xf32>
    %v = snn.accumulate %l membrane_decay(dense<0.75> : tensor<1xf32>) : (tensor<1xf32>) -> tensor<1xf32>
    snn.output %v : tensor<1xf32>
  } : (tensor<?x1xf32>) -> (tensor<?x1xf32>)
  func.return %y : tensor<?x1xf32>
}

// CHECK:      %[[LATE:.*]] = snn.delay %[[BACK:.*]] steps 1 : tensor<1xi32> -> tensor<1xi32>
// CHECK-NEXT: %[[IN:.*]] = snn.linear {{.*}} weight(dense<127> : tensor<1x1xi8>)
// CHECK-NEXT: %[[SPIKES:.*]] = snn.integrate_and_fire %[[IN]], %[[LATE]] threshold(dense<4064> : tensor<1xi32>) reset "zero" reset_value(dense<2032> : tensor<1xi32>) current_decay(dense<2048> : tensor<1xi32>) shift 6 decay_bits 12 state_bits 30
// CHECK-NEXT: %[[BACK]] = snn.linear %[[SPIKES]] weight(dense<-64> : tensor<1x1xi8>)
// CHECK-NEXT: snn.linear %[[SPIKES]] weight(dense<127> : tensor<1x1xi8>)
// CHECK-NEXT: snn.accumulate {{.*}} membrane_decay(dense<3072> : tensor<1xi32>) shift 6 decay_bits 12 state_bits 30 : (tensor<1xi32>) -> tensor<1xi32>
// CHECK:      host.dequantize {{.*}} scale(dense<0.00049{{.*}}> : tensor<1xf64>) : tensor<?x1xi32> -> tensor<?x1xf32>
