// RUN: not nc-opt %s -p convert-snn-to-loihi 2>&1 | filecheck %s

// Everything that the neurons of the code cannot do is listed.

func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "unary" steps 9 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.linear %0 weight(dense<3> : tensor<1x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 4 membrane_decay(dense<2048> : tensor<1xi32>) decay_bits 12 state_bits 16 fire [1, 5] : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>> loc("leaky"("model.py":1:0))
    %3 = snn.linear %2 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %4 = snn.integrate_and_fire %3 threshold(dense<10> : tensor<1xi32>) levels 4 reset "zero" strict true fire [5, 9] : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>> loc("strict"("model.py":2:0))
    %5 = snn.linear %4 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %6 = snn.accumulate %5 : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %6 : tensor<1xi32>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK: `snn.integrate_and_fire` (leaky, model.py:1): the target has no neurons that leak in this code
// CHECK: `snn.integrate_and_fire` (strict, model.py:2): the target has no neurons that fire strictly above the threshold, with reset "zero" in this code
