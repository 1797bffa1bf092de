// RUN: nc-opt %s -p 'convert-snn-to-loihi,verify-level{level=loihi}' | filecheck %s

// The largest of thermometer trains is a neuron that any spike fires, one step later.

func.func @main(%x: tensor<1x2x2x!ann.count<-8, 7>>) -> tensor<1x1x1xi32> {
  %y = snn.network code "unary" steps 5 inputs(%x) {
  ^bb0(%i: tensor<1x2x2x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x2x2x!ann.count<-8, 7>> -> tensor<1x2x2x!snn.graded<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<3> : tensor<1x1x1xi8>) : tensor<1x2x2x!snn.graded<-8, 7>> -> tensor<1x2x2xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1x1x1xi32>) levels 4 fire [1, 5] : (tensor<1x2x2xi32>) -> tensor<1x2x2x!snn.spikes<0, 4>>
    %3 = snn.max_pool2d %2 kernel [2, 2] stride [2, 2] : tensor<1x2x2x!snn.spikes<0, 4>> -> tensor<1x1x1x!snn.spikes<0, 4>>
    %4 = snn.diagonal %3 weight(dense<2> : tensor<1x1x1xi8>) : tensor<1x1x1x!snn.spikes<0, 4>> -> tensor<1x1x1xi32>
    %5 = snn.accumulate %4 : (tensor<1x1x1xi32>) -> tensor<1x1x1xi32>
    snn.output %5 : tensor<1x1x1xi32>
  } : (tensor<1x2x2x!ann.count<-8, 7>>) -> (tensor<1x1x1xi32>)
  func.return %y : tensor<1x1x1xi32>
}

// CHECK: loihi.stimulus %{{.*}} factors [1]
// CHECK: loihi.network steps 8
// CHECK: loihi.conv %{{.*}} weight(dense<3> : tensor<1x1x1x1xi8>) sign_mode "excitatory" message_bits 8
// CHECK: loihi.integrate_and_fire %{{.*}} threshold(dense<10> : tensor<1x1x1xi32>) initial(dense<0> : tensor<1xi32>) fire [2, 6]
// CHECK: loihi.conv %{{.*}} weight(dense<1> : tensor<1x2x2x1xi8>) stride [2, 2] sign_mode "excitatory"
// CHECK: loihi.lif %{{.*}} du 4095 dv 0 vth 0 reset_interval 1
// CHECK: loihi.conv %{{.*}} weight(dense<2> : tensor<1x1x1x1xi8>) sign_mode "excitatory"
// CHECK: loihi.integrate_and_fire %{{.*}} threshold(dense<8388607> : tensor<1xi32>) initial(dense<0> : tensor<1xi32>) fire [8, 9]
// CHECK: loihi.readout %{{.*}} "last"
