// RUN: not nc-opt %s -p partition-groups 2>&1 | filecheck %s

// Every layer that fits in no cut is listed with what is short.

// CHECK: the network does not fit loihi2:
// CHECK-NEXT: - wide ({{.*}}): one of its neurons, alone on a core, is too much: in_axons is 5000, and a core has 4096 axon (assumed: nengo-loihi 1.1.0{{.*}}). Use a smaller layer, or one that reads fewer neurons.
// CHECK-NEXT: - wider ({{.*}}): one of its neurons, alone on a core, is too much: memory_bytes is 200012, and a core has 196608 byte (datasheet: {{.*}}); in_axons is 200000, and a core has 4096 axon
func.func @main(%x: tensor<1x5000xi1>, %z: tensor<1x200000xi1>) -> tensor<4x2xi1> {
  %y = loihi.network steps 4 inputs(%x, %z) {
  ^bb0(%i: tensor<1x5000xi1>, %j: tensor<1x200000xi1>):
    %0 = loihi.source %i : tensor<1x5000xi1> -> tensor<5000xi1>
    %1 = loihi.dense %0 weight(dense<2> : tensor<2x5000xi8>) sign_mode "mixed" : tensor<5000xi1> -> tensor<2xi24>
    %2, %3 = loihi.integrate_and_fire %1 threshold(dense<3> : tensor<1xi32>) {nc.origin = "wide"} : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
    %4 = loihi.source %j : tensor<1x200000xi1> -> tensor<200000xi1>
    %5 = loihi.dense %4 weight(dense<2> : tensor<2x200000xi8>) sign_mode "mixed" : tensor<200000xi1> -> tensor<2xi24>
    %6, %7 = loihi.lif %5 du 4095 dv 0 vth 3 {nc.origin = "wider"} : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
    loihi.output %2 : tensor<2xi1>
  } : (tensor<1x5000xi1>, tensor<1x200000xi1>) -> (tensor<4x2xi1>)
  func.return %y : tensor<4x2xi1>
}
