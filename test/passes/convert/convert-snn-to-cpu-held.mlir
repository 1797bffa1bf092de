// RUN: nc-opt %s -p convert-snn-to-cpu | filecheck %s

// What follows from a constant current is computed once, at step 0, and added at every step.

func.func @main(%x: tensor<2x!ann.count<0, 15>>) -> tensor<3x!snn.spikes<0, 8>> {
  %y = snn.network code "free" steps 8 inputs(%x) {
  ^bb0(%i: tensor<2x!ann.count<0, 15>>):
    %p = snn.input %i code "current" : tensor<2x!ann.count<0, 15>> -> tensor<2x!snn.graded<0, 15>>
    %l = snn.linear %p weight(dense<[[1, 2], [3, 4], [5, 6]]> : tensor<3x2xi8>) : tensor<2x!snn.graded<0, 15>> -> tensor<3xi32>
    %s = snn.integrate_and_fire %l threshold(dense<9> : tensor<1xi32>) bias(dense<[1, 0, -1]> : tensor<3xi32>) levels 8 : (tensor<3xi32>) -> tensor<3x!snn.spikes<0, 8>>
    snn.output %s : tensor<3x!snn.spikes<0, 8>>
  } : (tensor<2x!ann.count<0, 15>>) -> (tensor<3x!snn.spikes<0, 8>>)
  func.return %y : tensor<3x!snn.spikes<0, 8>>
}

// CHECK: ^bb0(%[[X:.*]]: memref<2xui8>):
// CHECK: %[[I:.*]] = cpu.buffer {{.*}}range [0, 165] : memref<3xi32>
// CHECK: cpu.fill %[[I]] steps [0, 1]
// CHECK: cpu.linear %[[X]] -> %[[I]] {{.*}} steps [0, 1]
// CHECK: %[[V:.*]] = cpu.buffer {{.*}}range [-8, 1320] : memref<3xi32>
// CHECK: cpu.fill %[[V]] steps [0, 1]
// CHECK: cpu.add %[[I]] -> %[[V]] steps [0, 8]
// CHECK: cpu.charge %[[V]] value(dense<[1, 0, -1]> : tensor<3xi32>) steps [0, 8]
// CHECK: cpu.fire %[[V]] -> %{{.*}} threshold(dense<9> : tensor<1xi32>) layout [0] steps [0, 8]
