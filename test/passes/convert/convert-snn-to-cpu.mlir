// RUN: nc-opt %s -p convert-snn-to-cpu | filecheck %s

// A small unary network: channels last, the input quantised inside, synapses onto membranes, every layer in its window.

func.func @main(%x: tensor<2x3x3xf32>) -> tensor<4xf32> {
  %n = host.quantize %x step(dense<0.5> : tensor<1xf64>) shift(dense<0.0> : tensor<1xf64>) scale(dense<0.5> : tensor<1xf64>) offset(dense<0.0> : tensor<1xf64>) : tensor<2x3x3xf32> -> tensor<2x3x3x!ann.count<-8, 7>>
  %a = snn.network code "unary" steps 5 inputs(%n) {
  ^bb0(%i: tensor<2x3x3x!ann.count<-8, 7>>):
    %p = snn.input %i : tensor<2x3x3x!ann.count<-8, 7>> -> tensor<2x3x3x!snn.graded<-8, 7>>
    %c = snn.conv2d %p weight(dense<[[[[1]], [[2]]], [[[1]], [[-2]]]]> : tensor<2x2x1x1xi8>) : tensor<2x3x3x!snn.graded<-8, 7>> -> tensor<2x3x3xi32>
    %d = snn.diagonal %p weight(dense<[[[5]], [[6]]]> : tensor<2x1x1xi8>) : tensor<2x3x3x!snn.graded<-8, 7>> -> tensor<2x3x3xi32>
    %s = snn.integrate_and_fire %c, %d threshold(dense<[[[3]], [[2]]]> : tensor<2x1x1xi32>) initial(dense<1> : tensor<1xi32>) levels 4 fire [1, 5] {nc.origin = "relu"} : (tensor<2x3x3xi32>, tensor<2x3x3xi32>) -> tensor<2x3x3x!snn.spikes<0, 4>>
    %r = snn.reshape %s : tensor<2x3x3x!snn.spikes<0, 4>> -> tensor<18x!snn.spikes<0, 4>>
    %l = snn.linear %r weight(dense<1> : tensor<4x18xi8>) : tensor<18x!snn.spikes<0, 4>> -> tensor<4xi32>
    %o = snn.accumulate %l initial(dense<[1, 2, 3, 4]> : tensor<4xi32>) : (tensor<4xi32>) -> tensor<4xi32>
    snn.output %o : tensor<4xi32>
  } : (tensor<2x3x3x!ann.count<-8, 7>>) -> (tensor<4xi32>)
  %y = host.dequantize %a scale(dense<0.25> : tensor<1xf64>) : tensor<4xi32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// CHECK: %y = cpu.program "model" steps 5 inputs(%x) {
// CHECK: ^bb0(%[[X:.*]]: memref<2x3x3xf32>):
// CHECK: cpu.copy %[[X]] -> %[[IMAGE:.*]] sizes [9, 2] from 0 [1, 9] to 0 [2, 1] steps [0, 1] : memref<2x3x3xf32> -> memref<3x3x2xf32>
// CHECK: cpu.quantize %[[IMAGE]] -> %[[COUNTS:.*]] step({{.*}}) shift({{.*}}) clip -8 to 7 steps [0, 1] : memref<3x3x2xf32> -> memref<3x3x2xi8>
// CHECK: %[[V:.*]] = cpu.buffer "relu" range [-70, 66] : memref<3x3x2xi32>
// CHECK: cpu.fill %[[V]] value(dense<1> : tensor<1xi32>) steps [0, 1]
// CHECK: cpu.conv2d %[[COUNTS]] -> %[[V]] weight(dense<{{.*}}> : tensor<1x1x1x2x2xi8>) {{.*}} steps [0, 1]
// CHECK: cpu.diagonal %[[COUNTS]] -> %[[V]] weight(dense<[5, 6]> : tensor<2xi8>) steps [0, 1]
// CHECK: cpu.fire %[[V]] -> %[[S:.*]] threshold(dense<[3, 2]> : tensor<2xi32>) layout [1, 2, 0] steps [1, 5] {nc.origin = "relu"} : memref<3x3x2xi32> -> memref<3x3x2xi1>
// CHECK: cpu.copy %[[S]] -> %[[FLAT:.*]] sizes [2, 9] from 0 [1, 2] to 0 [9, 1] steps [1, 5] : memref<3x3x2xi1> -> memref<18xi1>
// CHECK: %[[A:.*]] = cpu.buffer {{.*}}range [0, 76] : memref<4xi32>
// CHECK: cpu.linear %[[FLAT]] -> %[[A]] weight({{.*}} : tensor<18x4xi8>) steps [1, 5]
// CHECK: cpu.dequantize %[[A]] -> %[[Y:.*]] scale(dense<2.500000e-01> : tensor<1xf64>) steps [4, 5] : memref<4xi32> -> memref<4xf32>
// CHECK: cpu.output %[[Y]] : memref<4xf32>
// CHECK-NOT: host.
