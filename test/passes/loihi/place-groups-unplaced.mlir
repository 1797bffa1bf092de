// RUN: not nc-opt %s -p place-groups 2>&1 | filecheck %s
// RUN: not nc-opt %s -p 'verify-target{target=loihi}' 2>&1 | filecheck %s --check-prefix VERIFY

// CHECK: place-groups: {{.*}} and 1 other groups lie on no core; run partition-groups first
// VERIFY: layout: {{.*}} and 1 other groups lie on no core; run partition-groups first
func.func @main(%x: tensor<1x2xi1>) -> tensor<4x2xi1> {
  %y = loihi.network steps 4 inputs(%x) {
  ^bb0(%i: tensor<1x2xi1>):
    %0 = loihi.source %i : tensor<1x2xi1> -> tensor<2xi1>
    %1 = loihi.dense %0 weight(dense<2> : tensor<2x2xi8>) sign_mode "mixed" : tensor<2xi1> -> tensor<2xi24>
    %2, %3 = loihi.lif %1 du 4095 dv 0 vth 3 tiles [1] chips [0] cores [0] {nc.origin = "first"} : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
    %4 = loihi.dense %2 weight(dense<2> : tensor<2x2xi8>) sign_mode "mixed" : tensor<2xi1> -> tensor<2xi24>
    %5, %6 = loihi.lif %4 du 4095 dv 0 vth 3  : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
    %7 = loihi.dense %2 weight(dense<2> : tensor<2x2xi8>) sign_mode "mixed" : tensor<2xi1> -> tensor<2xi24>
    %8 = loihi.dense %5 weight(dense<2> : tensor<2x2xi8>) sign_mode "mixed" : tensor<2xi1> -> tensor<2xi24>
    %9, %10 = loihi.lif %7, %8 du 4095 dv 0 vth 3  : (tensor<2xi24>, tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
    loihi.output %9 : tensor<2xi1>
  } : (tensor<1x2xi1>) -> (tensor<4x2xi1>)
  func.return %y : tensor<4x2xi1>
}
