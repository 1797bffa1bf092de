// RUN: nc-opt %s -p convert-snn-to-cpu | filecheck %s

// A recurrent layer of leaky neurons: its delay speaks before anything else and hears last, state is set at the first
// step alone, and everything else runs at every step.

func.func @main(%x: tensor<?x2xf32>) -> tensor<?x3x!snn.spikes<0, 1>> {
  %y = snn.network code "train" inputs(%x) {
  ^bb0(%t: tensor<?x2xf32>):
    %i = snn.input %t code "spikes" : tensor<?x2xf32> -> tensor<2xf32>
    %b = snn.delay %s steps 1 : tensor<3x!snn.spikes<0, 1>> -> tensor<3x!snn.spikes<0, 1>>
    %r = snn.linear %b weight(dense<-1.0> : tensor<3x3xf32>) : tensor<3x!snn.spikes<0, 1>> -> tensor<3xf32>
    %f = snn.linear %i weight(dense<2.0> : tensor<3x2xf32>) bias(dense<0.25> : tensor<3xf32>) : tensor<2xf32> -> tensor<3xf32>
    %s = snn.integrate_and_fire %f, %r threshold(dense<1.0> : tensor<1xf32>) strict true membrane_decay(dense<0.5> : tensor<1xf32>) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3x!snn.spikes<0, 1>>
    snn.output %s : tensor<3x!snn.spikes<0, 1>>
  } : (tensor<?x2xf32>) -> (tensor<?x3x!snn.spikes<0, 1>>)
  func.return %y : tensor<?x3x!snn.spikes<0, 1>>
}

// CHECK:      cpu.program "model" inputs(
// CHECK:      %[[LINE:.*]] = cpu.buffer : memref<1x3xi1>
// CHECK-NEXT: %[[LATE:.*]] = cpu.buffer : memref<3xi1>
// CHECK-NEXT: cpu.fill %[[LINE]] steps [0, 1]
// CHECK-NEXT: cpu.recall %[[LINE]] -> %[[LATE]] :
// CHECK-NEXT: %[[V:.*]] = cpu.buffer : memref<3xf32>
// CHECK-NEXT: cpu.fill %[[V]] steps [0, 1]
// CHECK-NEXT: cpu.leak %[[V]] decay({{.*}}) :
// CHECK-NEXT: cpu.linear %{{.*}} -> %[[V]] weight({{.*}}) :
// CHECK-NEXT: cpu.charge %[[V]] value(dense<2.500000e-01> : tensor<3xf32>) :
// CHECK-NEXT: cpu.linear %[[LATE]] -> %[[V]] weight({{.*}}) :
// CHECK-NEXT: %[[S:.*]] = cpu.buffer : memref<3xi1>
// CHECK-NEXT: cpu.fire %[[V]] -> %[[S]] threshold({{.*}}) strict true layout [0] :
// CHECK:      cpu.remember %[[S]] -> %[[LINE]] :
// CHECK:      cpu.output
