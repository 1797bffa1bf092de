// RUN: nc-opt %s -p 'convert-snn-to-loihi,verify-level{level=loihi}' | filecheck %s

// Axes are reversed and kernels flipped; with weights of mixed sign all numbers of a layer are doubled.

func.func @main(%x: tensor<1x2x3x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "unary" steps 5 inputs(%x) {
  ^bb0(%i: tensor<1x2x3x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x2x3x!ann.count<-8, 7>> -> tensor<1x2x3x!snn.graded<-8, 7>>
    %1 = snn.conv2d %0 weight(dense<[[[[1, 2, -3]]]]> : tensor<1x1x1x3xi8>) padding [0, 0, 1, 1] : tensor<1x2x3x!snn.graded<-8, 7>> -> tensor<1x2x3xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1x1x1xi32>) initial(dense<5> : tensor<1x1x1xi32>) levels 4 fire [1, 5] : (tensor<1x2x3xi32>) -> tensor<1x2x3x!snn.spikes<0, 4>>
    %3 = snn.reshape %2 : tensor<1x2x3x!snn.spikes<0, 4>> -> tensor<6x!snn.spikes<0, 4>>
    %4 = snn.linear %3 weight(dense<[[1, 2, 3, 4, 5, 6]]> : tensor<1x6xi8>) : tensor<6x!snn.spikes<0, 4>> -> tensor<1xi32>
    %5 = snn.accumulate %4 : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %5 : tensor<1xi32>
  } : (tensor<1x2x3x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK: loihi.stimulus %{{.*}} factors [1]
// CHECK: loihi.network steps 7
// CHECK: loihi.conv %{{.*}} weight(dense<{{\[\[\[\[}}-6]], {{\[\[}}4]], {{\[\[}}2]]]]> : tensor<1x3x1x1xi8>) padding [1, 0] sign_mode "mixed" message_bits 8
// CHECK: loihi.integrate_and_fire %{{.*}} threshold(dense<20> : tensor<1x1x1xi32>) initial(dense<10> : tensor<1x1x1xi32>) fire [2, 6]
// CHECK: loihi.transpose %{{.*}} permutation [2, 1, 0]
// CHECK: loihi.reshape %{{.*}}
// CHECK: loihi.dense %{{.*}} weight(dense<{{\[\[}}1, 2, 3, 4, 5, 6]]> : tensor<1x6xi8>) sign_mode "excitatory"
// CHECK: loihi.integrate_and_fire %{{.*}} threshold(dense<8388607> : tensor<1xi32>) initial(dense<0> : tensor<1xi32>) fire [7, 8]
// CHECK: loihi.readout %{{.*}} "last"
