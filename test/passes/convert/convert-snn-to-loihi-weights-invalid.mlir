// RUN: not nc-opt %s -p convert-snn-to-loihi 2>&1 | filecheck %s

// Weights that sixteen synapses together do not hold are refused.

func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "unary" steps 1 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.linear %0 weight(dense<5000> : tensor<1x1xi16>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32> loc("fc"("model.py":1:0))
    %2 = snn.accumulate %1 : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %2 : tensor<1xi32>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK: `snn.linear` (fc, model.py:1): its weights reach up to 5000 on the chip, where they have 8 bits. Use weight_bits=8 or fewer
