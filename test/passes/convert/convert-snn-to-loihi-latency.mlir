// RUN: nc-opt %s -p 'convert-snn-to-loihi,verify-level{level=loihi}' | filecheck %s

// A current lasts until a latch ends it; pulses lift the membranes behind all that arrives, and raise them.

func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "latency" steps 5 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.linear %0 weight(dense<3> : tensor<2x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<2xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<[10, 12]> : tensor<2xi32>) initial(dense<7> : tensor<1xi32>) levels 4 reset "zero" fire [1, 5] values [4, 3, 2, 1] : (tensor<2xi32>) -> tensor<2x!snn.graded<0, 4>>
    %3 = snn.linear %2 weight(dense<[[7, 1]]> : tensor<1x2xi8>) : tensor<2x!snn.graded<0, 4>> -> tensor<1xi32>
    %4 = snn.accumulate %3 : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %4 : tensor<1xi32>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK: loihi.stimulus %{{.*}} factors [1, -1]
// CHECK: loihi.network steps 8
// CHECK: loihi.dense %{{.*}} weight(dense<6> : tensor<2x1xi8>) sign_mode "excitatory" message_bits 8
// CHECK: loihi.pulses steps [1, 2] payloads [1, -1]
// CHECK: loihi.dense %{{.*}} weight(dense<{{\[\[}}16], [0]]> : tensor<2x1xi8>) sign_mode "excitatory" message_bits 8
// CHECK: loihi.pulses steps [2, 5] payloads [1, -1]
// CHECK: loihi.dense %{{.*}} weight(dense<{{\[\[}}20], [24]]> : tensor<2x1xi8>) sign_mode "excitatory" message_bits 8
// CHECK: loihi.lif %{{.*}}, %{{.*}}, %{{.*}} du -1 dv 0 vth 95 initial(dense<896> : tensor<1xi32>) until 6
// CHECK: loihi.dense %{{.*}} weight(dense<{{\[\[}}14, 2]]> : tensor<1x2xi8>) sign_mode "excitatory"
// CHECK: loihi.sparse %{{.*}} weight(dense<2> : tensor<2xi8>) sources(dense<[0, 1]> : tensor<2xi32>) targets(dense<[0, 1]> : tensor<2xi32>) sign_mode "excitatory"
// CHECK: loihi.pulses steps [5] payloads [1]
// CHECK: loihi.dense %{{.*}} weight(dense<2> : tensor<2x1xi8>) sign_mode "excitatory" message_bits 8
// CHECK: loihi.lif %{{.*}}, %{{.*}} du 4095 dv 0 vth 3
// CHECK: loihi.dense %{{.*}} weight(dense<{{\[\[}}-14, -2]]> : tensor<1x2xi8>) sign_mode "inhibitory"
// CHECK: loihi.lif %{{.*}}, %{{.*}} du -1 dv 0 vth 131071 initial(dense<0> : tensor<1xi32>)
// CHECK: loihi.readout %{{.*}} "last" divisor 128
