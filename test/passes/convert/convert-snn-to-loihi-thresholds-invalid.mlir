// RUN: not nc-opt %s -p convert-snn-to-loihi 2>&1 | filecheck %s

// Sigma-delta neurons divide by a power of two.

func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "graded" steps 2 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.linear %0 weight(dense<3> : tensor<2x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<2xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<[16, 20]> : tensor<2xi32>) levels 4 spikes_per_step 4 fire [1, 2] : (tensor<2xi32>) -> tensor<2x!snn.graded<0, 4>> loc("conv1"("model.py":1:0))
    %3 = snn.linear %2 weight(dense<7> : tensor<1x2xi8>) : tensor<2x!snn.graded<0, 4>> -> tensor<1xi32>
    %4 = snn.accumulate %3 : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %4 : tensor<1xi32>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK: `snn.integrate_and_fire` (conv1, model.py:1): its thresholds, 16 ... 20, are not one power of two up to 64
