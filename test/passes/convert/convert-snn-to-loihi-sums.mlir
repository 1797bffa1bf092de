// RUN: nc-opt %s -p 'convert-snn-to-loihi,verify-level{level=loihi}' | filecheck %s

// Sums of windows go into the synapse that reads them: a grouped convolution, or one with a larger kernel.

func.func @main(%x: tensor<2x2x4x!ann.count<-8, 7>>) -> tensor<1x1x1xi32> {
  %y = snn.network code "unary" steps 5 inputs(%x) {
  ^bb0(%i: tensor<2x2x4x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<2x2x4x!ann.count<-8, 7>> -> tensor<2x2x4x!snn.graded<-8, 7>>
    %1 = snn.sum_pool2d %0 kernel [2, 2] stride [2, 2] : tensor<2x2x4x!snn.graded<-8, 7>> -> tensor<2x1x2x!snn.graded<-32, 28>>
    %2 = snn.diagonal %1 weight(dense<[[[3]], [[4]]]> : tensor<2x1x1xi8>) : tensor<2x1x2x!snn.graded<-32, 28>> -> tensor<2x1x2xi32>
    %3 = snn.integrate_and_fire %2 threshold(dense<10> : tensor<1x1x1xi32>) levels 4 fire [1, 5] : (tensor<2x1x2xi32>) -> tensor<2x1x2x!snn.spikes<0, 4>>
    %4 = snn.sum_pool2d %3 kernel [1, 2] : tensor<2x1x2x!snn.spikes<0, 4>> -> tensor<2x1x1x!snn.graded<0, 8>>
    %5 = snn.conv2d %4 weight(dense<[[[[1]], [[2]]]]> : tensor<1x2x1x1xi8>) : tensor<2x1x1x!snn.graded<0, 8>> -> tensor<1x1x1xi32>
    %6 = snn.accumulate %5 : (tensor<1x1x1xi32>) -> tensor<1x1x1xi32>
    snn.output %6 : tensor<1x1x1xi32>
  } : (tensor<2x2x4x!ann.count<-8, 7>>) -> (tensor<1x1x1xi32>)
  func.return %y : tensor<1x1x1xi32>
}

// CHECK: loihi.stimulus %{{.*}} factors [1]
// CHECK: loihi.network steps 7
// CHECK: loihi.conv %{{.*}} weight(dense<{{\[\[\[\[}}3], [3]], {{\[\[}}3], [3]]], {{\[\[\[}}4], [4]], {{\[\[}}4], [4]]]]> : tensor<2x2x2x1xi8>) stride [2, 2] groups 2 sign_mode "excitatory" message_bits 8
// CHECK: loihi.integrate_and_fire %{{.*}} threshold(dense<10> : tensor<1x1x1xi32>) initial(dense<0> : tensor<1xi32>) fire [2, 6]
// CHECK: loihi.conv %{{.*}} weight(dense<{{\[\[\[\[}}1, 2]], {{\[\[}}1, 2]]]]> : tensor<1x2x1x2xi8>) sign_mode "excitatory"
// CHECK: loihi.integrate_and_fire %{{.*}} threshold(dense<8388607> : tensor<1xi32>) initial(dense<0> : tensor<1xi32>) fire [7, 8]
// CHECK: loihi.readout %{{.*}} "last"
