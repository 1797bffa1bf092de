// RUN: nc-opt %s -p 'convert-snn-to-loihi,verify-level{level=loihi}' | filecheck %s

// Layers become groups gated by their windows, one step later for every synapse; logits are a membrane that is read.

func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "unary" steps 5 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.linear %0 weight(dense<3> : tensor<2x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<2xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<[10, 12]> : tensor<2xi32>) initial(dense<7> : tensor<1xi32>) levels 4 fire [1, 5] : (tensor<2xi32>) -> tensor<2x!snn.spikes<0, 4>>
    %3 = snn.linear %2 weight(dense<[[7, 1]]> : tensor<1x2xi8>) : tensor<2x!snn.spikes<0, 4>> -> tensor<1xi32>
    %4 = snn.accumulate %3 bias(dense<9> : tensor<1xi32>) : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %4 : tensor<1xi32>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK: loihi.stimulus %{{.*}} factors [1]
// CHECK: loihi.network steps 7
// CHECK: loihi.dense %{{.*}} weight(dense<3> : tensor<2x1xi8>) sign_mode "excitatory" message_bits 8
// CHECK: loihi.integrate_and_fire %{{.*}} threshold(dense<[10, 12]> : tensor<2xi32>) initial(dense<7> : tensor<1xi32>) fire [2, 6]
// CHECK: loihi.dense %{{.*}} weight(dense<{{\[\[}}7, 1]]> : tensor<1x2xi8>) sign_mode "excitatory"
// CHECK: loihi.integrate_and_fire %{{.*}} threshold(dense<8388607> : tensor<1xi32>) initial(dense<45> : tensor<1xi32>) fire [7, 8]
// CHECK: loihi.readout %{{.*}} "last"
