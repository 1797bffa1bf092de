// RUN: nc-opt %s -p 'convert-snn-to-loihi,verify-level{level=loihi}' | filecheck %s

// With T = 1 stock neurons without a memory say everything: thresholds go into biases.

func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "unary" steps 2 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.linear %0 weight(dense<3> : tensor<2x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<2xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<[10, 12]> : tensor<2xi32>) initial(dense<7> : tensor<1xi32>) levels 1 fire [1, 2] : (tensor<2xi32>) -> tensor<2x!snn.spikes<0, 1>>
    %3 = snn.linear %2 weight(dense<[[7, 1]]> : tensor<1x2xi8>) : tensor<2x!snn.spikes<0, 1>> -> tensor<1xi32>
    %4 = snn.accumulate %3 bias(dense<9> : tensor<1xi32>) : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %4 : tensor<1xi32>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK: loihi.stimulus %{{.*}} factors [1]
// CHECK: loihi.network steps 3
// CHECK: loihi.dense %{{.*}} weight(dense<3> : tensor<2x1xi8>) sign_mode "excitatory" message_bits 8
// CHECK: loihi.lif %{{.*}} du 4095 dv 0 vth 0 bias_mant(dense<[-2, -4]> : tensor<2xi32>) bias_exp 6 reset_interval 1 since 1 until 2
// CHECK: loihi.dense %{{.*}} weight(dense<{{\[\[}}7, 1]]> : tensor<1x2xi8>) sign_mode "excitatory"
// CHECK: loihi.lif %{{.*}} du 4095 dv 0 vth 131071 bias_mant(dense<18> : tensor<1xi32>) bias_exp 6 reset_interval 1
// CHECK: loihi.readout %{{.*}} "last" divisor 64
