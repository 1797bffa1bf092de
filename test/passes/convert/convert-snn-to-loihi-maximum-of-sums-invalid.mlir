// RUN: not nc-opt %s -p convert-snn-to-loihi 2>&1 | filecheck %s

// A spike does not say which of several sums is the largest.

func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "unary" steps 5 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %p = snn.reshape %0 : tensor<1x!snn.graded<-8, 7>> -> tensor<1x1x1x!snn.graded<-8, 7>>
    %1 = snn.conv2d %p weight(dense<3> : tensor<1x1x1x1xi8>) padding [0, 1, 0, 0] : tensor<1x1x1x!snn.graded<-8, 7>> -> tensor<1x2x1xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 4 fire [1, 5] : (tensor<1x2x1xi32>) -> tensor<1x2x1x!snn.spikes<0, 4>>
    %3 = snn.sum_pool2d %2 kernel [1, 1] : tensor<1x2x1x!snn.spikes<0, 4>> -> tensor<1x2x1x!snn.graded<0, 4>>
    %4 = snn.running_max_pool2d %3 kernel [2, 1] : tensor<1x2x1x!snn.graded<0, 4>> -> tensor<1x1x1x!snn.graded<0, 4>> loc("pool"("model.py":1:0))
    %r = snn.reshape %4 : tensor<1x1x1x!snn.graded<0, 4>> -> tensor<1x!snn.graded<0, 4>>
    %5 = snn.linear %r weight(dense<7> : tensor<1x1xi8>) : tensor<1x!snn.graded<0, 4>> -> tensor<1xi32>
    %6 = snn.accumulate %5 : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %6 : tensor<1xi32>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK: `snn.running_max_pool2d` (pool, model.py:1): it finds the largest of sums, and a spike says nothing of a sum
