// RUN: nc-opt %s -p 'convert-snn-to-loihi,verify-level{level=loihi}' | filecheck %s

// The larger of two payloads is one of them and what the other exceeds it by.

func.func @main(%x: tensor<1x1x2x!ann.count<-8, 7>>) -> tensor<1x1x1xi32> {
  %y = snn.network code "graded" steps 2 inputs(%x) {
  ^bb0(%i: tensor<1x1x2x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x1x2x!ann.count<-8, 7>> -> tensor<1x1x2x!snn.graded<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<3> : tensor<1x1x1xi8>) : tensor<1x1x2x!snn.graded<-8, 7>> -> tensor<1x1x2xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<16> : tensor<1x1x1xi32>) levels 4 spikes_per_step 4 fire [1, 2] : (tensor<1x1x2xi32>) -> tensor<1x1x2x!snn.graded<0, 4>>
    %3 = snn.max_pool2d %2 kernel [1, 2] : tensor<1x1x2x!snn.graded<0, 4>> -> tensor<1x1x1x!snn.graded<0, 4>>
    %4 = snn.diagonal %3 weight(dense<2> : tensor<1x1x1xi8>) : tensor<1x1x1x!snn.graded<0, 4>> -> tensor<1x1x1xi32>
    %5 = snn.accumulate %4 : (tensor<1x1x1xi32>) -> tensor<1x1x1xi32>
    snn.output %5 : tensor<1x1x1xi32>
  } : (tensor<1x1x2x!ann.count<-8, 7>>) -> (tensor<1x1x1xi32>)
  func.return %y : tensor<1x1x1xi32>
}

// CHECK: loihi.stimulus %{{.*}} factors [1]
// CHECK: loihi.network steps 4
// CHECK: loihi.conv %{{.*}} weight(dense<6> : tensor<1x1x1x1xi8>) sign_mode "excitatory" message_bits 8
// CHECK: loihi.sigma_delta %{{.*}} vth 1 state_exp 5
// CHECK: loihi.reshape %{{.*}}
// CHECK: loihi.dense %{{.*}} weight(dense<{{\[\[}}2, 0]]> : tensor<1x2xi8>) sign_mode "excitatory" message_bits 8
// CHECK: loihi.reshape %{{.*}}
// CHECK: loihi.dense %{{.*}} weight(dense<{{\[\[}}0, -2]]> : tensor<1x2xi8>) sign_mode "inhibitory" message_bits 8
// CHECK: loihi.reshape %{{.*}}
// CHECK: loihi.sigma_delta %{{.*}}, %{{.*}} vth 1 state_exp 1
// CHECK: loihi.dense %{{.*}} weight(dense<{{\[\[}}0, 4]]> : tensor<1x2xi8>) sign_mode "excitatory" delay 1 message_bits 8
// CHECK: loihi.reshape %{{.*}}
// CHECK: loihi.conv %{{.*}} weight(dense<4> : tensor<1x1x1x1xi8>) sign_mode "excitatory" message_bits 8
// CHECK: loihi.sigma_delta %{{.*}}, %{{.*}} vth 8388607 activation "unit"
// CHECK: loihi.readout %{{.*}} "last" divisor 2
