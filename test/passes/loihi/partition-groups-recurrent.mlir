// RUN: nc-opt %s -p partition-groups --validate | filecheck %s

// A group that hears itself is cut until its axons to its own blocks fit, too: 3,000 neurons with 9 million weights.

// CHECK: loihi.lif {{.*}} tiles [47] chips [0, 0,
func.func @main(%x: tensor<1x1xi1>) -> tensor<2x3000xi1> {
  %y = loihi.network steps 2 inputs(%x) {
  ^bb0(%i: tensor<1x1xi1>):
    %0 = loihi.source %i : tensor<1x1xi1> -> tensor<1xi1>
    %1 = loihi.dense %0 weight(dense<2> : tensor<3000x1xi8>) sign_mode "mixed" : tensor<1xi1> -> tensor<3000xi24>
    %2 = loihi.dense %3 weight(dense<2> : tensor<3000x3000xi8>) sign_mode "mixed" : tensor<3000xi1> -> tensor<3000xi24>
    %3, %4 = loihi.lif %1, %2 du 4095 dv 0 vth 3 : (tensor<3000xi24>, tensor<3000xi24>) -> tensor<3000xi1>, tensor<3000xi24>
    loihi.output %3 : tensor<3000xi1>
  } : (tensor<1x1xi1>) -> (tensor<2x3000xi1>)
  func.return %y : tensor<2x3000xi1>
}
