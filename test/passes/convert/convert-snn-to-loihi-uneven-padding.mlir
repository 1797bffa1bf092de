// RUN: nc-opt %s -p 'convert-snn-to-loihi,verify-level{level=loihi}' | filecheck %s

// Zeros around a kernel make its padding the same at both ends.

func.func @main(%x: tensor<1x1x4x!ann.count<-8, 7>>) -> tensor<1x1x2xi32> {
  %y = snn.network code "unary" steps 1 inputs(%x) {
  ^bb0(%i: tensor<1x1x4x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x1x4x!ann.count<-8, 7>> -> tensor<1x1x4x!snn.graded<-8, 7>>
    %1 = snn.conv2d %0 weight(dense<[[[[1, 2, 3]]]]> : tensor<1x1x1x3xi8>) stride [1, 2] padding [0, 0, 0, 1] : tensor<1x1x4x!snn.graded<-8, 7>> -> tensor<1x1x2xi32>
    %2 = snn.accumulate %1 : (tensor<1x1x2xi32>) -> tensor<1x1x2xi32>
    snn.output %2 : tensor<1x1x2xi32>
  } : (tensor<1x1x4x!ann.count<-8, 7>>) -> (tensor<1x1x2xi32>)
  func.return %y : tensor<1x1x2xi32>
}

// CHECK: loihi.stimulus %{{.*}} factors [1]
// CHECK: loihi.network steps 2
// CHECK: loihi.conv %{{.*}} weight(dense<{{\[\[\[\[}}3]], {{\[\[}}2]], {{\[\[}}1]], {{\[\[}}0]]]]> : tensor<1x4x1x1xi8>) stride [2, 1] padding [1, 0] sign_mode "excitatory" message_bits 8
// CHECK: loihi.lif %{{.*}} du 4095 dv 0 vth 131071 bias_mant(dense<0> : tensor<1xi32>) bias_exp 6 reset_interval 1
// CHECK: loihi.readout %{{.*}} "last" divisor 64
