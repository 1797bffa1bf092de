// RUN: nc-opt %s -p convert-snn-to-nir | filecheck %s

// Networks of spike trains: decays are time constants whose gain is made up for, a delay may close a cycle, what meets is
// added up by whoever reads it, and a threshold that may be reached moves to the float below.

func.func @main(%events: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %v = snn.network code "train" inputs(%events) {
  ^bb0(%x: tensor<?x2xf32>):
    %i = snn.input %x code "spikes" : tensor<?x2xf32> -> tensor<2xf32>
    %b = snn.delay %r steps 2 : tensor<2xf32> -> tensor<2xf32>
    %s = snn.integrate_and_fire %i, %b threshold(dense<1.0> : tensor<1xf32>) bias(dense<0.5> : tensor<1xf32>) reset "zero" reset_value(dense<0.25> : tensor<1xf32>) strict true membrane_decay(dense<0.75> : tensor<1xf32>) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2x!snn.spikes<0, 1>>
    %q = snn.integrate_and_fire %s threshold(dense<1.0> : tensor<1xf32>) reset "zero" membrane_decay(dense<0.75> : tensor<1xf32>) current_decay(dense<0.5> : tensor<1xf32>) : (tensor<2x!snn.spikes<0, 1>>) -> tensor<2x!snn.spikes<0, 1>>
    %k = snn.integrate_and_fire %q threshold(dense<1.0> : tensor<1xf32>) reset "zero" current_decay(dense<0.5> : tensor<1xf32>) : (tensor<2x!snn.spikes<0, 1>>) -> tensor<2x!snn.spikes<0, 1>>
    %r = snn.linear %k weight(dense<1.0> : tensor<2x2xf32>) : tensor<2x!snn.spikes<0, 1>> -> tensor<2xf32>
    %l = snn.delay %r steps 0 extra(dense<[0, 3]> : tensor<2xi32>) : tensor<2xf32> -> tensor<2xf32>
    %a = snn.add %l, %i : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    %t = snn.threshold %a threshold(dense<0.5> : tensor<1xf32>) strict true : tensor<2xf32> -> tensor<2x!snn.spikes<0, 1>>
    %m = snn.accumulate %t membrane_decay(dense<0.5> : tensor<1xf32>) : (tensor<2x!snn.spikes<0, 1>>) -> tensor<2xf32>
    %n = snn.accumulate %m membrane_decay(dense<0.5> : tensor<1xf32>) current_decay(dense<0.5> : tensor<1xf32>) : (tensor<2xf32>) -> tensor<2xf32>
    %o = snn.accumulate %n : (tensor<2xf32>) -> tensor<2xf32>
    snn.output %o : tensor<2xf32>
  } : (tensor<?x2xf32>) -> (tensor<?x2xf32>)
  func.return %v : tensor<?x2xf32>
}

// CHECK: nir.graph "network" dt 1.000000e+00 : f64 inputs(
// CHECK: %[[B:.*]] = nir.delay "delay"(%[[R:.*]]) delay(dense<2.000000e+00> : tensor<1xf32>)
// CHECK: %[[I:.*]] = nir.input "input"(%{{.*}}) "train"
// CHECK: %[[S:.*]] = nir.lif "integrate_and_fire"(%[[I]], %[[B]]) tau(dense<4.000000e+00> : tensor<1xf64>) r(dense<4.000000e+00> : tensor<1xf64>) v_leak(dense<2.000000e+00> : tensor<1xf64>) v_threshold(dense<1.000000e+00> : tensor<1xf32>) v_reset(dense<2.500000e-01> : tensor<1xf32>)
// CHECK: %[[Q:.*]] = nir.cuba_lif "integrate_and_fire_1"(%[[S]]) tau_syn(dense<2.000000e+00> : tensor<1xf64>) tau_mem(dense<4.000000e+00> : tensor<1xf64>) r(dense<4.000000e+00> : tensor<1xf64>) v_leak(dense<0.000000e+00> : tensor<1xf64>) w_in(dense<2.000000e+00> : tensor<1xf64>) v_threshold(dense<0.99999994
// CHECK: %[[C:.*]] = nir.li "integrate_and_fire_2_current"(%[[Q]]) tau(dense<2.000000e+00> : tensor<1xf64>) r(dense<2.000000e+00> : tensor<1xf64>)
// CHECK: nir.if "integrate_and_fire_2"(%[[C]])
// CHECK: %[[R]] = nir.affine "linear"
// CHECK: %[[L:.*]] = nir.delay "delay_1"(%[[R]]) delay(dense<[0.000000e+00, 3.000000e+00]> : tensor<2xf32>)
// CHECK: %[[T:.*]] = nir.threshold "threshold"(%[[L]], %[[I]]) threshold(dense<5.000000e-01> :
// CHECK: %[[M:.*]] = nir.li "accumulate"(%[[T]]) tau(dense<2.000000e+00> : tensor<1xf64>)
// CHECK: %[[N:.*]] = nir.cuba_li "accumulate_1"(%[[M]])
// CHECK: %[[O:.*]] = nir.i "accumulate_2"(%[[N]])
// CHECK: nir.output %[[O]] "train" : tensor<2xf32>
