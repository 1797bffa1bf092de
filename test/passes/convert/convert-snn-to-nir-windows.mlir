// RUN: nc-opt %s -p convert-snn-to-nir | filecheck %s

// A clock of the layer's shape counts steps. A layer is pushed far below its threshold at first, brought back when its
// window opens, and pushed down behind it. Its initial value is added at the first step, and a bias that no synapse takes
// at every one.

func.func @main(%x: tensor<2x!ann.count<-8, 7>>) -> tensor<2x!snn.spikes<0, 3>> {
  %y = snn.network code "unary" steps 9 inputs(%x) {
  ^bb0(%i: tensor<2x!ann.count<-8, 7>>):
    %p = snn.input %i : tensor<2x!ann.count<-8, 7>> -> tensor<2x!snn.graded<-8, 7>>
    %c = snn.diagonal %p weight(dense<3> : tensor<2xi8>) : tensor<2x!snn.graded<-8, 7>> -> tensor<2xi32>
    %s = snn.integrate_and_fire %c threshold(dense<10> : tensor<1xi32>) initial(dense<[5, 6]> : tensor<2xi32>) bias(dense<2> : tensor<1xi32>) levels 3 fire [1, 4] : (tensor<2xi32>) -> tensor<2x!snn.spikes<0, 3>>
    snn.output %s : tensor<2x!snn.spikes<0, 3>>
  } : (tensor<2x!ann.count<-8, 7>>) -> (tensor<2x!snn.spikes<0, 3>>)
  func.return %y : tensor<2x!snn.spikes<0, 3>>
}

// CHECK: nir.input "input"(%{{.*}}) "once"
// CHECK: %[[C:.*]] = nir.scale "diagonal"
// CHECK: %[[NOTHING:.*]] = nir.scale "integrate_and_fire_nothing"(%[[C]]) scale(dense<0.000000e+00> :
// CHECK: %[[ALWAYS:.*]] = nir.threshold "integrate_and_fire_always"(%[[NOTHING]]) threshold(dense<-5.000000e-01> :
// CHECK: %[[BIAS:.*]] = nir.scale "integrate_and_fire_bias"(%[[ALWAYS]]) scale(dense<2.000000e+00> :
// CHECK: %[[CLOCK:.*]] = nir.i "integrate_and_fire_clock"(%[[ALWAYS]])
// CHECK: %[[SINCE:.*]] = nir.threshold "integrate_and_fire_since_1"(%[[CLOCK]]) threshold(dense<1.500000e+00> :
// CHECK: %[[AFTER:.*]] = nir.scale "integrate_and_fire_not_after_0"(%[[SINCE]]) scale(dense<-1.000000e+00> :
// CHECK: %[[FIRST:.*]] = nir.threshold "integrate_and_fire_pulse_0"(%[[ALWAYS]], %[[AFTER]]) threshold(dense<5.000000e-01> :
// CHECK: %[[INITIAL:.*]] = nir.scale "integrate_and_fire_initial"(%[[FIRST]]) scale(dense<[5.000000e+00, 6.000000e+00]> :
// CHECK: %[[SHUTS:.*]] = nir.scale "integrate_and_fire_shuts_0"(%[[FIRST]]) scale(dense<0xCB000000> :
// CHECK: %[[OPENS:.*]] = nir.scale "integrate_and_fire_opens_1"(%{{.*}}) scale(dense<0x4B000000> :
// CHECK: %[[DONE:.*]] = nir.scale "integrate_and_fire_shuts_4"(%{{.*}}) scale(dense<0xCB000000> :
// CHECK: %[[V:.*]] = nir.i "integrate_and_fire_membrane"(%[[C]], %[[BIAS]], %[[INITIAL]], %[[SHUTS]], %[[OPENS]], %[[DONE]], %[[BACK:.*]]) r(
// CHECK: %[[S:.*]] = nir.threshold "integrate_and_fire"(%[[V]]) threshold(dense<9.99999905> :
// CHECK: %[[BACK]] = nir.scale "integrate_and_fire_reset"(%[[S]])
