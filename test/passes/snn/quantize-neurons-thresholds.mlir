// RUN: nc-opt %s -p 'quantize-neurons{fraction-bits=4}' | filecheck %s

// Reset by primitives: a membrane, a threshold that reads it in its own unit, and what fired is taken back later.

func.func @main(%x: tensor<?x1xf32>) -> tensor<?x1x!snn.spikes<0, 1>> {
  %y = snn.network code "train" inputs(%x) {
  ^bb0(%t: tensor<?x1xf32>):
    %i = snn.input %t code "spikes" : tensor<?x1xf32> -> tensor<1xf32>
    %b = snn.delay %r steps 1 : tensor<1xf32> -> tensor<1xf32>
    %0 = snn.linear %i weight(dense<[[0.5]]> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
    %v = snn.accumulate %0, %b : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
    %s = snn.threshold %v threshold(dense<1.0> : tensor<1xf32>) strict true : tensor<1xf32> -> tensor<1x!snn.spikes<0, 1>>
    %r = snn.diagonal %s weight(dense<-1.0> : tensor<1xf32>) : tensor<1x!snn.spikes<0, 1>> -> tensor<1xf32>
    snn.output %s : tensor<1x!snn.spikes<0, 1>>
  } : (tensor<?x1xf32>) -> (tensor<?x1x!snn.spikes<0, 1>>)
  func.return %y : tensor<?x1x!snn.spikes<0, 1>>
}

// CHECK:      %[[LATE:.*]] = snn.delay %[[SPIKES:.*]] steps 1 : tensor<1x!snn.spikes<0, 1>>
// CHECK-NEXT: snn.linear {{.*}} weight(dense<64> : tensor<1x1xi8>)
// CHECK-NEXT: snn.diagonal %[[LATE]] weight(dense<-127> : tensor<1xi8>)
// CHECK-NEXT: %[[V:.*]] = snn.accumulate {{.*}} shift 4 state_bits 30
// CHECK-NEXT: %[[SPIKES]] = snn.threshold %[[V]] threshold(dense<2032> : tensor<1xi32>) strict true
