// RUN: not nc-opt %s -p convert-snn-to-loihi 2>&1 | filecheck %s

// Index maps stand in front of synapses.

func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "unary" steps 1 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.linear %0 weight(dense<1> : tensor<1x1xi16>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
    %2 = snn.reshape %1 : tensor<1xi32> -> tensor<1xi32> loc("view"("model.py":1:0))
    %3 = snn.accumulate %2 : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %3 : tensor<1xi32>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK: `snn.reshape` (view, model.py:1): it stands between a synapse and its neurons. Put it in front of the synapse.
