// RUN: nc-opt %s -p 'convert-snn-to-loihi,verify-level{level=loihi}' | filecheck %s

// Weights that 8 bits do not hold are the sum of those of several synapses.

func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "unary" steps 1 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.linear %0 weight(dense<300> : tensor<1x1xi16>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
    %2 = snn.accumulate %1 : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %2 : tensor<1xi32>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK: loihi.stimulus %{{.*}} factors [1]
// CHECK: loihi.network steps 2
// CHECK: loihi.dense %{{.*}} weight(dense<255> : tensor<1x1xi16>) sign_mode "excitatory" message_bits 8
// CHECK: loihi.dense %{{.*}} weight(dense<45> : tensor<1x1xi8>) sign_mode "excitatory" message_bits 8
// CHECK: loihi.lif %{{.*}}, %{{.*}} du 4095 dv 0 vth 131071 bias_mant(dense<0> : tensor<1xi32>) bias_exp 6 reset_interval 1
// CHECK: loihi.readout %{{.*}} "last" divisor 64
