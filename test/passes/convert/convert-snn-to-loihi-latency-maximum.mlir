// RUN: nc-opt %s -p 'convert-snn-to-loihi,verify-level{level=loihi}' | filecheck %s

// The first spike of a window is the largest; with it the neuron inhibits itself for good.

func.func @main(%x: tensor<1x1x2x!ann.count<-8, 7>>) -> tensor<1x1x1xi32> {
  %y = snn.network code "latency" steps 5 inputs(%x) {
  ^bb0(%i: tensor<1x1x2x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x1x2x!ann.count<-8, 7>> -> tensor<1x1x2x!snn.graded<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<3> : tensor<1x1x1xi8>) : tensor<1x1x2x!snn.graded<-8, 7>> -> tensor<1x1x2xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1x1x1xi32>) levels 4 reset "zero" fire [1, 5] values [4, 3, 2, 1] : (tensor<1x1x2xi32>) -> tensor<1x1x2x!snn.graded<0, 4>>
    %3 = snn.running_max_pool2d %2 kernel [1, 2] : tensor<1x1x2x!snn.graded<0, 4>> -> tensor<1x1x1x!snn.graded<0, 4>>
    %4 = snn.diagonal %3 weight(dense<2> : tensor<1x1x1xi8>) : tensor<1x1x1x!snn.graded<0, 4>> -> tensor<1x1x1xi32>
    %5 = snn.accumulate %4 : (tensor<1x1x1xi32>) -> tensor<1x1x1xi32>
    snn.output %5 : tensor<1x1x1xi32>
  } : (tensor<1x1x2x!ann.count<-8, 7>>) -> (tensor<1x1x1xi32>)
  func.return %y : tensor<1x1x1xi32>
}

// CHECK: loihi.stimulus %{{.*}} factors [1, -1]
// CHECK: loihi.network steps 9
// CHECK: loihi.conv %{{.*}} weight(dense<6> : tensor<1x1x1x1xi8>) sign_mode "excitatory" message_bits 8
// CHECK: loihi.pulses steps [2, 5] payloads [1, -1]
// CHECK: loihi.conv %{{.*}} weight(dense<20> : tensor<1x1x1x1xi8>) sign_mode "excitatory" message_bits 8
// CHECK: loihi.lif %{{.*}}, %{{.*}} du -1 dv 0 vth 79 initial(dense<0> : tensor<1xi32>) until 6
// CHECK: loihi.conv %{{.*}} weight(dense<1> : tensor<1x2x1x1xi8>) sign_mode "excitatory"
// CHECK: loihi.sparse %{{.*}} weight(dense<-2> : tensor<1xi8>) sources(dense<0> : tensor<1xi32>) targets(dense<0> : tensor<1xi32>) sign_mode "inhibitory"
// CHECK: loihi.reshape %{{.*}}
// CHECK: loihi.lif %{{.*}}, %{{.*}} du 4095 dv 0 vth 0
// CHECK: loihi.reshape %{{.*}}
// CHECK: loihi.conv %{{.*}} weight(dense<4> : tensor<1x1x1x1xi8>) sign_mode "excitatory"
// CHECK: loihi.sparse %{{.*}} weight(dense<2> : tensor<1xi8>) sources(dense<0> : tensor<1xi32>) targets(dense<0> : tensor<1xi32>) sign_mode "excitatory"
// CHECK: loihi.reshape %{{.*}}
// CHECK: loihi.pulses steps [6] payloads [1]
// CHECK: loihi.conv %{{.*}} weight(dense<2> : tensor<1x1x1x1xi8>) sign_mode "excitatory" message_bits 8
// CHECK: loihi.lif %{{.*}}, %{{.*}} du 4095 dv 0 vth 3
// CHECK: loihi.conv %{{.*}} weight(dense<-4> : tensor<1x1x1x1xi8>) sign_mode "inhibitory"
// CHECK: loihi.lif %{{.*}}, %{{.*}} du -1 dv 0 vth 131071 initial(dense<0> : tensor<1xi32>)
// CHECK: loihi.readout %{{.*}} "last" divisor 128
