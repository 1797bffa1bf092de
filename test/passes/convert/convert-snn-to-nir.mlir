// RUN: nc-opt %s -p convert-snn-to-nir | filecheck %s

// A reset by subtraction is an integrator, a threshold just below, and what takes the threshold away a step later.
// The bias goes into the synapse. The readout is an integrator, read after the last step.

func.func @main(%x: tensor<2x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "free" steps 4 inputs(%x) {
  ^bb0(%i: tensor<2x!ann.count<-8, 7>>):
    %p = snn.input %i code "current" : tensor<2x!ann.count<-8, 7>> -> tensor<2x!snn.graded<-8, 7>>
    %c = snn.linear %p weight(dense<[[1, 2]]> : tensor<1x2xi8>) : tensor<2x!snn.graded<-8, 7>> -> tensor<1xi32>
    %s = snn.integrate_and_fire %c threshold(dense<10> : tensor<1xi32>) bias(dense<3> : tensor<1xi32>) levels 4 {nc.origin = "layer1.0"} : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
    %d = snn.linear %s weight(dense<5> : tensor<1x1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %a = snn.accumulate %d bias(dense<7> : tensor<1xi32>) : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %a : tensor<1xi32>
  } : (tensor<2x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK: nir.graph "network" dt 1.000000e+00 : f64 steps 4 inputs(
// CHECK: %[[IN:.*]] = nir.input "input"(%{{.*}}) "always" : tensor<2x!ann.count<-8, 7>> -> tensor<2xf32>
// CHECK: %[[C:.*]] = nir.affine "linear"(%[[IN]]) weight(dense<{{\[\[}}1.000000e+00, 2.000000e+00]]> : tensor<1x2xf32>) bias(dense<3.000000e+00> : tensor<1xf32>)
// CHECK: %[[V:.*]] = nir.i "layer1_0_membrane"(%[[C]], %[[BACK:.*]]) r(dense<1.000000e+00> : tensor<1xf32>)
// CHECK: %[[S:.*]] = nir.threshold "layer1_0"(%[[V]]) threshold(dense<9.99999905> : tensor<1xf32>) {nc.origin = "layer1.0"} {{.*}} -> tensor<1x!snn.spikes<0, 4>>
// CHECK: %[[BACK]] = nir.scale "layer1_0_reset"(%[[S]]) scale(dense<-1.000000e+01> : tensor<1xf32>)
// CHECK: %[[D:.*]] = nir.affine "linear_1"(%[[S]]) weight({{.*}}) bias(dense<7.000000e+00> : tensor<1xf32>)
// CHECK: %[[A:.*]] = nir.i "accumulate"(%[[D]])
// CHECK: nir.output %[[A]] "last" : tensor<1xf32>
// CHECK: } : (tensor<2x!ann.count<-8, 7>>) -> (tensor<1xi32>)
