// RUN: nc-opt %s -p 'convert-snn-to-loihi,verify-level{level=loihi}' | filecheck %s

// Sigma-delta neurons send floor(v / 2^k); what exceeds T a second group takes back.

func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "graded" steps 2 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.linear %0 weight(dense<100> : tensor<1x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<16> : tensor<1xi32>) initial(dense<7> : tensor<1xi32>) levels 4 spikes_per_step 4 fire [1, 2] : (tensor<1xi32>) -> tensor<1x!snn.graded<0, 4>>
    %3 = snn.linear %2 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!snn.graded<0, 4>> -> tensor<1xi32>
    %4 = snn.accumulate %3 : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %4 : tensor<1xi32>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK: loihi.stimulus %{{.*}} factors [1]
// CHECK: loihi.network steps 3
// CHECK: loihi.dense %{{.*}} weight(dense<200> : tensor<1x1xi16>) sign_mode "excitatory" message_bits 8
// CHECK: loihi.pulses steps [0] payloads [1]
// CHECK: loihi.dense %{{.*}} weight(dense<14> : tensor<1x1xi8>) sign_mode "excitatory" message_bits 8
// CHECK: loihi.sigma_delta %{{.*}}, %{{.*}} vth 1 state_exp 5
// CHECK: loihi.dense %{{.*}} weight(dense<200> : tensor<1x1xi16>) sign_mode "excitatory" message_bits 8
// CHECK: loihi.dense %{{.*}} weight(dense<-114> : tensor<1x1xi8>) sign_mode "inhibitory" message_bits 8
// CHECK: loihi.sigma_delta %{{.*}}, %{{.*}} vth 1 state_exp 5 worth -1
// CHECK: loihi.dense %{{.*}} weight(dense<14> : tensor<1x1xi8>) sign_mode "excitatory" message_bits 8
// CHECK: loihi.dense %{{.*}} weight(dense<-14> : tensor<1x1xi8>) sign_mode "inhibitory" message_bits 8
// CHECK: loihi.sigma_delta %{{.*}}, %{{.*}} vth 8388607 activation "unit"
// CHECK: loihi.readout %{{.*}} "last" divisor 2
