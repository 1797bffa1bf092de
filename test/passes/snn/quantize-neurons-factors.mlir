// RUN: nc-opt %s -p 'quantize-neurons{weight-bits=4 fraction-bits=0}' | filecheck %s

// A divisor between neurons, and what multiplies a current, go into the weights: the average of a window is its sum.

func.func @main(%x: tensor<?x1x2x2xf32>) -> tensor<?x1x!snn.spikes<0, 1>> {
  %y = snn.network code "train" inputs(%x) {
  ^bb0(%t: tensor<?x1x2x2xf32>):
    %i = snn.input %t code "spikes" : tensor<?x1x2x2xf32> -> tensor<1x2x2xf32>
    %0 = snn.sum_pool2d %i kernel [2, 2] : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
    %1 = snn.diagonal %0 weight(dense<0.25> : tensor<1xf32>) : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
    %2 = snn.reshape %1 : tensor<1x1x1xf32> -> tensor<1xf32>
    %3 = snn.linear %2 weight(dense<[[14.0]]> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
    %4 = snn.diagonal %3 weight(dense<2.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
    %5 = snn.integrate_and_fire %4 threshold(dense<10.0> : tensor<1xf32>) : (tensor<1xf32>) -> tensor<1x!snn.spikes<0, 1>>
    snn.output %5 : tensor<1x!snn.spikes<0, 1>>
  } : (tensor<?x1x2x2xf32>) -> (tensor<?x1x!snn.spikes<0, 1>>)
  func.return %y : tensor<?x1x!snn.spikes<0, 1>>
}

// CHECK-NOT:  snn.diagonal
// CHECK:      snn.sum_pool2d {{.*}} -> tensor<1x1x1x!snn.graded<0, 1020>>
// CHECK-NEXT: snn.reshape {{.*}} -> tensor<1x!snn.graded<0, 1020>>
// CHECK-NEXT: snn.linear {{.*}} weight(dense<7> : tensor<1x1xi8>)
// CHECK-NEXT: snn.integrate_and_fire {{.*}} threshold(dense<10> : tensor<1xi32>) shift 0 state_bits 30
// CHECK-NOT:  snn.diagonal
