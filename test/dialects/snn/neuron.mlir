// RUN: nc-opt %s | nc-opt | filecheck %s

// A neuron says everything that it remembers and how.

func.func @main(%x: tensor<2xf32>) -> tensor<2x!snn.spikes<0, 8>> {
  %y = snn.network code "free" steps 8 inputs(%x) {
  ^bb0(%i: tensor<2xf32>):
    %0 = snn.input %i code "current" : tensor<2xf32> -> tensor<2xf32>
    %1 = snn.integrate_and_fire %0 threshold(dense<1.0> : tensor<2xf32>) bias(dense<0.1> : tensor<2xf32>) reset "zero" reset_value(dense<0.25> : tensor<1xf32>) strict true spikes_per_step 2 refractory 1 membrane_decay(dense<0.9> : tensor<2xf32>) current_decay(dense<0.5> : tensor<2xf32>) lower_bound(dense<-1.0> : tensor<1xf32>) : (tensor<2xf32>) -> tensor<2x!snn.spikes<0, 8>>
    snn.output %1 : tensor<2x!snn.spikes<0, 8>>
  } : (tensor<2xf32>) -> (tensor<2x!snn.spikes<0, 8>>)
  func.return %y : tensor<2x!snn.spikes<0, 8>>
}

// CHECK: snn.integrate_and_fire %{{.*}} threshold(dense<1.000000e+00> : tensor<2xf32>) bias(
// CHECK-SAME: reset "zero" reset_value({{.*}}) strict true spikes_per_step 2 refractory 1
// CHECK-SAME: membrane_decay({{.*}}) current_decay({{.*}}) lower_bound({{.*}})
