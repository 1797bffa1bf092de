// RUN: nc-opt %s -p convert-snn-to-cpu | filecheck %s

// A network of counts becomes a program of one step: neurons send their whole counts at once.

func.func @main(%x: tensor<2x!ann.count<0, 7>>) -> tensor<2xi32> {
  %y = snn.network code "count" steps 1 inputs(%x) {
  ^bb0(%i: tensor<2x!ann.count<0, 7>>):
    %0 = snn.input %i : tensor<2x!ann.count<0, 7>> -> tensor<2x!ann.count<0, 7>>
    %1 = snn.diagonal %0 weight(dense<2> : tensor<1xi8>) : tensor<2x!ann.count<0, 7>> -> tensor<2xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<3> : tensor<1xi32>) initial(dense<1> : tensor<1xi32>) levels 4
      : (tensor<2xi32>) -> tensor<2x!ann.count<0, 4>>
    %3 = snn.diagonal %2 weight(dense<5> : tensor<1xi8>) : tensor<2x!ann.count<0, 4>> -> tensor<2xi32>
    %4 = snn.accumulate %3 : (tensor<2xi32>) -> tensor<2xi32>
    snn.output %4 : tensor<2xi32>
  } : (tensor<2x!ann.count<0, 7>>) -> (tensor<2xi32>)
  func.return %y : tensor<2xi32>
}

// CHECK: cpu.program "{{[a-z]+}}" {{.*}}mode "counts" steps 1 inputs
// CHECK: cpu.diagonal
// CHECK: cpu.fire {{.*}} spikes_per_step 4 {{.*}}steps [0, 1]
// CHECK: cpu.diagonal
