// RUN: not nc-opt %s -p convert-snn-to-loihi 2>&1 | filecheck %s

// A membrane that could leave the chip's range is refused, with the T that would fit.

func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "latency" steps 5 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.linear %0 weight(dense<3> : tensor<1x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<20040> : tensor<1xi32>) levels 4 reset "zero" fire [1, 5] values [4, 3, 2, 1] : (tensor<1xi32>) -> tensor<1x!snn.graded<0, 4>> loc("conv1"("model.py":1:0))
    %3 = snn.linear %2 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!snn.graded<0, 4>> -> tensor<1xi32>
    %4 = snn.accumulate %3 : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %4 : tensor<1xi32>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK: `snn.integrate_and_fire` (conv1, model.py:1): its membrane could reach 160,319 on the chip, which holds 131,071. With these weights timesteps=3 would fit
