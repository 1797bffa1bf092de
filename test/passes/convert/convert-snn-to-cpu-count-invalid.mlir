// RUN: not nc-opt %s -p convert-snn-to-cpu 2>&1 | filecheck %s

// In counts the threshold divides.

func.func @main(%x: tensor<2x!ann.count<0, 7>>) -> tensor<2xi32> {
  %y = snn.network code "count" steps 1 inputs(%x) {
  ^bb0(%i: tensor<2x!ann.count<0, 7>>):
    %0 = snn.input %i : tensor<2x!ann.count<0, 7>> -> tensor<2x!ann.count<0, 7>>
    %1 = snn.diagonal %0 weight(dense<2> : tensor<1xi8>) : tensor<2x!ann.count<0, 7>> -> tensor<2xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<0> : tensor<1xi32>) levels 1
      : (tensor<2xi32>) -> tensor<2x!ann.count<0, 1>>
    %3 = snn.diagonal %2 weight(dense<5> : tensor<1xi8>) : tensor<2x!ann.count<0, 1>> -> tensor<2xi32>
    snn.output %3 : tensor<2xi32>
  } : (tensor<2x!ann.count<0, 7>>) -> (tensor<2xi32>)
  func.return %y : tensor<2xi32>
}

// CHECK: `snn.integrate_and_fire`{{.*}}: a threshold is not positive. Make all thresholds positive.
