// RUN: nc-opt %s -p 'convert-snn-to-loihi,verify-level{level=loihi}' | filecheck %s

// What is no convolution and no matrix is a list of pairs of neurons, in Lava's order.

func.func @main(%x: tensor<1x2x3x!ann.count<-8, 7>>) -> tensor<1x1x2xi32> {
  %y = snn.network code "unary" steps 1 inputs(%x) {
  ^bb0(%i: tensor<1x2x3x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x2x3x!ann.count<-8, 7>> -> tensor<1x2x3x!snn.graded<-8, 7>>
    %1 = snn.slice %0 starts [0, 1, 0] stops [1, 2, 3] steps [1, 1, 2] : tensor<1x2x3x!snn.graded<-8, 7>> -> tensor<1x1x2x!snn.graded<-8, 7>>
    %2 = snn.diagonal %1 weight(dense<3> : tensor<1x1x1xi8>) : tensor<1x1x2x!snn.graded<-8, 7>> -> tensor<1x1x2xi32>
    %3 = snn.accumulate %2 : (tensor<1x1x2xi32>) -> tensor<1x1x2xi32>
    snn.output %3 : tensor<1x1x2xi32>
  } : (tensor<1x2x3x!ann.count<-8, 7>>) -> (tensor<1x1x2xi32>)
  func.return %y : tensor<1x1x2xi32>
}

// CHECK: loihi.stimulus %{{.*}} factors [1]
// CHECK: loihi.network steps 2
// CHECK: loihi.reshape %{{.*}}
// CHECK: loihi.sparse %{{.*}} weight(dense<3> : tensor<2xi8>) sources(dense<[1, 5]> : tensor<2xi32>) targets(dense<[0, 1]> : tensor<2xi32>) sign_mode "excitatory" message_bits 8
// CHECK: loihi.reshape %{{.*}}
// CHECK: loihi.lif %{{.*}} du 4095 dv 0 vth 131071 bias_mant(dense<0> : tensor<1xi32>) bias_exp 6 reset_interval 1
// CHECK: loihi.readout %{{.*}} "last" divisor 64
