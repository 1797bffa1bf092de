// RUN: not nc-opt %s -p convert-snn-to-cpu 2>&1 | filecheck %s

// Counts have to be said in time first.

func.func @main(%x: tensor<2xi8>) -> tensor<2xi32> {
  %y = snn.network code "count" steps 1 inputs(%x) {
  ^bb0(%i: tensor<2xi8>):
    %c = snn.diagonal %i weight(dense<2> : tensor<1xi8>) : tensor<2xi8> -> tensor<2xi32>
    snn.output %c : tensor<2xi32>
  } : (tensor<2xi8>) -> (tensor<2xi32>)
  func.return %y : tensor<2xi32>
}

// CHECK: `snn.network`{{.*}}: counts are not said in time yet. Run a pass encode-<code> first.
