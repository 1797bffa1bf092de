// RUN: nc-opt %s -p 'verify-level{level=loihi}' | nc-opt | filecheck %s

// Every operation prints and parses; defaults are left out. A synapse may read what stands further down.

func.func @main(%x: tensor<3x5x4x2xi1>, %v: tensor<6xi8>) -> (tensor<9x6xi1>, tensor<6xi32>) {
  %g = loihi.stimulus %v factors [1] : tensor<6xi8> -> tensor<1x6xi32>
  %y:2 = loihi.network steps 9 inputs(%x, %g) {
  ^bb0(%i: tensor<3x5x4x2xi1>, %j: tensor<1x6xi32>):
    %0 = loihi.source %i : tensor<3x5x4x2xi1> -> tensor<5x4x2xi1>
    %1 = loihi.conv %0 weight(dense<2> : tensor<3x3x3x2xi8>) padding [1, 1] sign_mode "mixed" : tensor<5x4x2xi1> -> tensor<5x4x3xi24>
    %2, %3 = loihi.lif %1 du 4095 dv 163 vth 25 bias_mant(dense<-3> : tensor<3xi16>) bias_exp 6 initial(dense<64> : tensor<1xi32>) tiles [2, 1, 1] chips [0, 0] cores [4, 5] : (tensor<5x4x3xi24>) -> tensor<5x4x3xi1>, tensor<5x4x3xi24>
    %4 = loihi.transpose %2 permutation [2, 1, 0] : tensor<5x4x3xi1> -> tensor<3x4x5xi1>
    %5 = loihi.reshape %4 : tensor<3x4x5xi1> -> tensor<60xi1>
    %6 = loihi.dense %5 weight(dense<255> : tensor<6x60xi16>) sign_mode "excitatory" weight_exp -1 delay 3 : tensor<60xi1> -> tensor<6xi24>
    %7 = loihi.source %j : tensor<1x6xi32> -> tensor<6xi32>
    %8 = loihi.sparse %7 weight(dense<[-4, -8]> : tensor<2xi8>) sources(dense<[5, 1]> : tensor<2xi32>) targets(dense<[0, 3]> : tensor<2xi32>) sign_mode "inhibitory" weight_bits 6 message_bits 8 : tensor<6xi32> -> tensor<6xi24>
    %9 = loihi.dense %10 weight(dense<-2> : tensor<6x6xi8>) sign_mode "mixed" : tensor<6xi1> -> tensor<6xi24>
    %10, %11 = loihi.integrate_and_fire %6, %8, %9 threshold(dense<100> : tensor<6xi32>) bias(dense<1> : tensor<1xi8>) initial(dense<50> : tensor<1xi8>) fire [2, 7] : (tensor<6xi24>, tensor<6xi24>, tensor<6xi24>) -> tensor<6xi1>, tensor<6xi24>
    %12, %13 = loihi.sigma_delta %6 vth 3 bias(dense<2> : tensor<1xi8>) activation "unit" spike_exp 1 state_exp 2 : (tensor<6xi24>) -> tensor<6xi32>, tensor<6xi24>
    %14 = loihi.pulses steps [1, 4] payloads [3, -3] : tensor<1xi32>
    loihi.output %10, %11 : tensor<6xi1>, tensor<6xi24>
  } : (tensor<3x5x4x2xi1>, tensor<1x6xi32>) -> (tensor<9x6xi1>, tensor<9x6xi24>)
  %z = loihi.readout %y#1 "last" divisor 2 : tensor<9x6xi24> -> tensor<6xi32>
  func.return %y#0, %z : tensor<9x6xi1>, tensor<6xi32>
}

// CHECK: loihi.stimulus %{{.*}} factors [1] : tensor<6xi8> -> tensor<1x6xi32>
// CHECK: loihi.network steps 9 inputs(%x, %g) {
// CHECK: loihi.source %{{.*}} : tensor<3x5x4x2xi1> -> tensor<5x4x2xi1>
// CHECK: loihi.conv %{{.*}} weight(dense<2> : tensor<3x3x3x2xi8>) padding [1, 1] sign_mode "mixed" : tensor<5x4x2xi1> -> tensor<5x4x3xi24>
// CHECK: loihi.lif %{{.*}} du 4095 dv 163 vth 25 bias_mant(dense<-3> : tensor<3xi16>) bias_exp 6 initial(dense<64> : tensor<1xi32>) tiles [2, 1, 1] chips [0, 0] cores [4, 5] :
// CHECK: loihi.transpose %{{.*}} permutation [2, 1, 0]
// CHECK: loihi.reshape
// CHECK: loihi.dense %{{.*}} sign_mode "excitatory" weight_exp -1 delay 3 : tensor<60xi1> -> tensor<6xi24>
// CHECK: loihi.sparse %{{.*}} weight(dense<[-4, -8]> : tensor<2xi8>) sources(dense<[5, 1]> : tensor<2xi32>) targets(dense<[0, 3]> : tensor<2xi32>) sign_mode "inhibitory" weight_bits 6 message_bits 8 :
// CHECK: loihi.dense %[[LATER:.*]] weight(dense<-2> : tensor<6x6xi8>) sign_mode "mixed" :
// CHECK: %[[LATER]], %{{.*}} = loihi.integrate_and_fire %{{.*}}, %{{.*}}, %{{.*}} threshold(dense<100> : tensor<6xi32>) bias(dense<1> : tensor<1xi8>) initial(dense<50> : tensor<1xi8>) fire [2, 7] :
// CHECK: loihi.sigma_delta %{{.*}} vth 3 bias(dense<2> : tensor<1xi8>) activation "unit" spike_exp 1 state_exp 2 :
// CHECK: loihi.pulses steps [1, 4] payloads [3, -3] : tensor<1xi32>
// CHECK: loihi.output
// CHECK: loihi.readout %{{.*}} "last" divisor 2 : tensor<9x6xi24> -> tensor<6xi32>
