// RUN: not nc-opt %s -p 'verify-target{target="loihi:loihi2"}' 2>&1 | filecheck %s
// RUN: nc-opt %s -p 'verify-target{target="loihi:loihi3"}' | filecheck %s --check-prefix WIDE

// What lies on a core together is compared with the limits of a core, and the number of chips with those of a system.

// CHECK: the network does not fit loihi:loihi2:
// CHECK-NEXT: - core 5 of chip 1: neurons is 10001, and a core has 8192 neuron (datasheet: {{.*}})
// CHECK-NEXT: - core 5 of chip 1: in_axons is 10001, and a core has 4096 axon (assumed: {{.*}})
// CHECK-NOT: -
// WIDE: func.return
func.func @main(%x: tensor<1x100x100x1xi1>) -> tensor<4x100x100x1xi1> {
  %y = loihi.network steps 4 inputs(%x) {
  ^bb0(%i: tensor<1x100x100x1xi1>):
    %0 = loihi.source %i : tensor<1x100x100x1xi1> -> tensor<100x100x1xi1>
    %1 = loihi.conv %0 weight(dense<2> : tensor<1x1x1x1xi8>) sign_mode "mixed" : tensor<100x100x1xi1> -> tensor<100x100x1xi24>
    %2, %3 = loihi.lif %1 du 4095 dv 0 vth 3 tiles [1, 1, 1] chips [1] cores [5] : (tensor<100x100x1xi24>) -> tensor<100x100x1xi1>, tensor<100x100x1xi24>
    %4 = loihi.pulses steps [1] payloads [1] : tensor<1xi32>
    %5 = loihi.dense %4 weight(dense<2> : tensor<1x1xi8>) sign_mode "mixed" message_bits 8 : tensor<1xi32> -> tensor<1xi24>
    %6, %7 = loihi.lif %5 du 4095 dv 0 vth 3 tiles [1] chips [1] cores [5] : (tensor<1xi24>) -> tensor<1xi1>, tensor<1xi24>
    loihi.output %2 : tensor<100x100x1xi1>
  } : (tensor<1x100x100x1xi1>) -> (tensor<4x100x100x1xi1>)
  func.return %y : tensor<4x100x100x1xi1>
}
