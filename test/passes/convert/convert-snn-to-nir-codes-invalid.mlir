// RUN: not nc-opt %s -p convert-snn-to-nir 2>&1 | filecheck %s

// A file holds one graph, in a code that NIR has.

func.func @main(%x: tensor<1x!ann.count<0, 7>>) -> tensor<1x!ann.count<0, 7>> {
  %y = snn.network code "graded" steps 1 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<0, 7>>):
    snn.output %i : tensor<1x!ann.count<0, 7>>
  } : (tensor<1x!ann.count<0, 7>>) -> (tensor<1x!ann.count<0, 7>>)
  func.return %y : tensor<1x!ann.count<0, 7>>
}
// CHECK: code "graded"{{.*}}: NIR has spikes of one kind, one per step. Use code="unary" or code="free".
