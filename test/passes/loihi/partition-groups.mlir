// RUN: nc-opt %s -p partition-groups | filecheck %s
// RUN: nc-opt %s -p 'partition-groups{chip=loihi3}' | filecheck %s --check-prefix WIDE

// Every block keeps the limits of a core, and small groups share one: 12,800 neurons lie on two cores, the ten that hear
// them position by position beside the first half.

// CHECK: tiles [1, 2, 1] chips [0, 0] cores [0, 1]
// CHECK: tiles [1, 1, 1] chips [0] cores [0]
// WIDE: tiles [1, 1, 1] chips [0] cores [0]
// WIDE: tiles [1, 1, 1] chips [0] cores [0]
func.func @main(%x: tensor<1x40x40x2xi32>) -> tensor<4x1x1x10xi1> {
  %y = loihi.network steps 4 inputs(%x) {
  ^bb0(%i: tensor<1x40x40x2xi32>):
    %0 = loihi.source %i : tensor<1x40x40x2xi32> -> tensor<40x40x2xi32>
    %1 = loihi.conv %0 weight(dense<2> : tensor<8x3x3x2xi8>) padding [1, 1] sign_mode "mixed" message_bits 8 : tensor<40x40x2xi32> -> tensor<40x40x8xi24>
    %2, %3 = loihi.integrate_and_fire %1 threshold(dense<3> : tensor<8xi32>) : (tensor<40x40x8xi24>) -> tensor<40x40x8xi1>, tensor<40x40x8xi24>
    %4 = loihi.conv %2 weight(dense<2> : tensor<10x40x40x8xi8>) sign_mode "mixed" weight_bits 1 : tensor<40x40x8xi1> -> tensor<1x1x10xi24>
    %5, %6 = loihi.lif %4 du 4095 dv 0 vth 3 : (tensor<1x1x10xi24>) -> tensor<1x1x10xi1>, tensor<1x1x10xi24>
    loihi.output %5 : tensor<1x1x10xi1>
  } : (tensor<1x40x40x2xi32>) -> (tensor<4x1x1x10xi1>)
  func.return %y : tensor<4x1x1x10xi1>
}
