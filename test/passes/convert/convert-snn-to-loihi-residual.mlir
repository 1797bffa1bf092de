// RUN: nc-opt %s -p 'convert-snn-to-loihi,verify-level{level=loihi}' | filecheck %s

// A residual join is two synapses of one group; spikes may come early, as the window keeps the neurons silent.

func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "unary" steps 9 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.linear %0 weight(dense<3> : tensor<1x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 4 fire [1, 5] : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
    %3 = snn.linear %2 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %4 = snn.integrate_and_fire %3 threshold(dense<11> : tensor<1xi32>) levels 4 fire [5, 9] : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
    %5 = snn.linear %4 weight(dense<5> : tensor<1x1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %6 = snn.diagonal %2 weight(dense<2> : tensor<1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %7 = snn.accumulate %5, %6 : (tensor<1xi32>, tensor<1xi32>) -> tensor<1xi32>
    snn.output %7 : tensor<1xi32>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK: loihi.stimulus %{{.*}} factors [1]
// CHECK: loihi.network steps 12
// CHECK: loihi.dense %{{.*}} weight(dense<3> : tensor<1x1xi8>) sign_mode "excitatory" message_bits 8
// CHECK: loihi.integrate_and_fire %{{.*}} threshold(dense<10> : tensor<1xi32>) initial(dense<0> : tensor<1xi32>) fire [2, 6]
// CHECK: loihi.dense %{{.*}} weight(dense<7> : tensor<1x1xi8>) sign_mode "excitatory"
// CHECK: loihi.integrate_and_fire %{{.*}} threshold(dense<11> : tensor<1xi32>) initial(dense<0> : tensor<1xi32>) fire [7, 11]
// CHECK: loihi.dense %{{.*}} weight(dense<5> : tensor<1x1xi8>) sign_mode "excitatory"
// CHECK: loihi.dense %{{.*}} weight(dense<2> : tensor<1x1xi8>) sign_mode "excitatory"
// CHECK: loihi.integrate_and_fire %{{.*}}, %{{.*}} threshold(dense<8388607> : tensor<1xi32>) initial(dense<0> : tensor<1xi32>) fire [12, 13]
// CHECK: loihi.readout %{{.*}} "last"
