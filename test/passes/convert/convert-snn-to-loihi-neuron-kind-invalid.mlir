// RUN: not nc-opt %s -p convert-snn-to-loihi 2>&1 | filecheck %s

// Loihi has no neurons for tables.

func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "graded" steps 2 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.linear %0 weight(dense<3> : tensor<1x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
    %2 = snn.lookup %1 threshold(dense<10> : tensor<1xi32>) clip -3 to 3 fire [1, 2] : (tensor<1xi32>) -> tensor<1x!snn.graded<-3, 3>> loc("gelu"("model.py":1:0))
    %3 = snn.linear %2 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!snn.graded<-3, 3>> -> tensor<1xi32>
    %4 = snn.accumulate %3 : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %4 : tensor<1xi32>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK: `snn.lookup` (gelu, model.py:1): Loihi has no such neurons
