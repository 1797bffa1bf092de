// RUN: not nc-opt %s 2>&1 | filecheck %s

// A membrane is a probe.

func.func @main(%x: tensor<4x1xi1>) {
  loihi.network steps 4 inputs(%x) {
  ^bb0(%i: tensor<4x1xi1>):
    %0 = loihi.source %i : tensor<4x1xi1> -> tensor<1xi1>
    %1 = loihi.dense %0 weight(dense<2> : tensor<1x1xi8>) sign_mode "mixed" : tensor<1xi1> -> tensor<1xi24>
    %2, %3 = loihi.lif %1 du 4095 dv 0 vth 9 : (tensor<1xi24>) -> tensor<1xi1>, tensor<1xi24>
    %4, %5 = loihi.lif %3 du 4095 dv 0 vth 9 : (tensor<1xi24>) -> tensor<1xi1>, tensor<1xi24>
    loihi.output
  } : (tensor<4x1xi1>) -> ()
  func.return
}

// CHECK: `loihi.lif` reads a membrane, which is a probe
