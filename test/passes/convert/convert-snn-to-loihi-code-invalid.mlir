// RUN: not nc-opt %s -p convert-snn-to-loihi 2>&1 | filecheck %s

// Loihi's neurons have no such code.

func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "radix" steps 1 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.linear %0 weight(dense<3> : tensor<1x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
    %2 = snn.accumulate %1 : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %2 : tensor<1xi32>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK: code "radix"{{.*}}: Loihi's neurons have no such code. Use code="unary", "latency", "graded" or "free".
