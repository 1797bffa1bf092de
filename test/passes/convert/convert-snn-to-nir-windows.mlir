// RUN: nc-opt %s -p convert-snn-to-nir | filecheck %s

// A clock of the layer's shape counts steps. Before its window and behind it a layer is kept far below its threshold; its
// initial value is added at the first step, and a bias that no synapse takes at every one.

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
// CHECK: %[[DOWN:.*]] = nir.scale "integrate_and_fire_countdown"(%[[CLOCK]]) scale(dense<-1.000000e+00> :
// CHECK: %[[FIRST:.*]] = nir.threshold "integrate_and_fire_before_1"(%[[DOWN]]) threshold(dense<-1.500000e+00> :
// CHECK: %[[INITIAL:.*]] = nir.scale "integrate_and_fire_initial"(%[[FIRST]]) scale(dense<[5.000000e+00, 6.000000e+00]> :
// CHECK: %[[V:.*]] = nir.i "integrate_and_fire_membrane"(%[[C]], %[[BIAS]], %[[INITIAL]], %[[BACK:.*]]) r(
// CHECK: %[[WAITS:.*]] = nir.scale "integrate_and_fire_waits"(%[[FIRST]]) scale(dense<0xCB800000> :
// CHECK: %[[SINCE:.*]] = nir.threshold "integrate_and_fire_since_4"(%[[CLOCK]]) threshold(dense<4.500000e+00> :
// CHECK: %[[DONE:.*]] = nir.scale "integrate_and_fire_done"(%[[SINCE]])
// CHECK: %[[S:.*]] = nir.threshold "integrate_and_fire"(%[[V]], %[[WAITS]], %[[DONE]]) threshold(dense<9.99999905> :
// CHECK: %[[BACK]] = nir.scale "integrate_and_fire_reset"(%[[S]])
