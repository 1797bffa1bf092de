// RUN: nc-opt %s -p convert-snn-to-cpu | filecheck %s

// A neuron model is a sequence of loops: leaks first, then currents, bias, the lower bound, the threshold.

func.func @main(%x: tensor<2xf32>) -> tensor<2x!snn.spikes<0, 4>> {
  %y = snn.network code "free" steps 8 inputs(%x) {
  ^bb0(%i: tensor<2xf32>):
    %0 = snn.input %i : tensor<2xf32> -> tensor<2xf32>
    %1 = snn.diagonal %0 weight(dense<2.0> : tensor<2xf32>) : tensor<2xf32> -> tensor<2xf32>
    %2 = snn.integrate_and_fire %1 threshold(dense<1.0> : tensor<2xf32>) initial(dense<0.5> : tensor<1xf32>) bias(dense<0.1> : tensor<2xf32>) levels 4 reset "zero" reset_value(dense<0.25> : tensor<1xf32>) strict true spikes_per_step 2 refractory 1 membrane_decay(dense<0.9> : tensor<2xf32>) current_decay(dense<0.5> : tensor<2xf32>) lower_bound(dense<-1.0> : tensor<1xf32>) : (tensor<2xf32>) -> tensor<2x!snn.spikes<0, 4>>
    snn.output %2 : tensor<2x!snn.spikes<0, 4>>
  } : (tensor<2xf32>) -> (tensor<2x!snn.spikes<0, 4>>)
  func.return %y : tensor<2x!snn.spikes<0, 4>>
}

// CHECK: ^bb0(%[[X:.*]]: memref<2xf32>):
// CHECK: cpu.fill %[[V:.*]] value(dense<5.000000e-01> : tensor<1xf32>) steps [0, 1]
// CHECK: cpu.leak %[[V]] decay({{.*}}) steps [0, 8]
// CHECK: cpu.fill %[[I:.*]] steps [0, 1]
// CHECK: cpu.leak %[[I]] decay({{.*}}) steps [0, 8]
// CHECK: cpu.diagonal %[[X]] -> %[[I]] {{.*}} steps [0, 1]
// CHECK: cpu.charge %[[V]] value({{.*}}) steps [0, 8]
// CHECK: cpu.add %[[I]] -> %[[V]] steps [0, 8]
// CHECK: cpu.clamp %[[V]] lowest({{.*}}) steps [0, 8]
// CHECK: cpu.fire %[[V]] -> %{{.*}} threshold({{.*}}) fired %{{.*}} : memref<2xi32> ready %{{.*}} : memref<2xi32> reset_value(dense<2.500000e-01> : tensor<1xf32>) strict true spikes_per_step 2 levels 4 refractory 1 layout [0] steps [0, 8]
// CHECK-SAME: memref<2xf32> -> memref<2xui8>
