// RUN: nc-opt %s -p convert-snn-to-cpu | filecheck %s

// A chain of index maps is one copy into a zeroed buffer: the strided, channel-padded shortcut of a residual network.
// Joined signals are copied while they mean something and once after their end, when they read as zero.

func.func @main(%x: tensor<2x4x4x!ann.count<0, 15>>) -> tensor<4x2x2xi32> {
  %y = snn.network code "unary" steps 12 inputs(%x) {
  ^bb0(%i: tensor<2x4x4x!ann.count<0, 15>>):
    %p = snn.input %i : tensor<2x4x4x!ann.count<0, 15>> -> tensor<2x4x4x!snn.graded<0, 15>>
    %c = snn.diagonal %p weight(dense<1> : tensor<1xi8>) : tensor<2x4x4x!snn.graded<0, 15>> -> tensor<2x4x4xi32>
    %s = snn.integrate_and_fire %c threshold(dense<1> : tensor<1xi32>) levels 4 fire [1, 5] {nc.origin = "early"} : (tensor<2x4x4xi32>) -> tensor<2x4x4x!snn.spikes<0, 4>>
    %a = snn.slice %s starts [0, 0, 0] stops [2, 4, 4] steps [1, 2, 2] : tensor<2x4x4x!snn.spikes<0, 4>> -> tensor<2x2x2x!snn.spikes<0, 4>>
    %b = snn.pad %a low [1, 0, 0] high [1, 0, 0] : tensor<2x2x2x!snn.spikes<0, 4>> -> tensor<4x2x2x!snn.spikes<0, 4>>
    %d = snn.diagonal %b weight(dense<3> : tensor<1xi8>) : tensor<4x2x2x!snn.spikes<0, 4>> -> tensor<4x2x2xi32>
    %t = snn.integrate_and_fire %d threshold(dense<1> : tensor<1xi32>) levels 4 fire [8, 12] {nc.origin = "late"} : (tensor<4x2x2xi32>) -> tensor<4x2x2x!snn.spikes<0, 4>>
    %j = snn.concat %b, %t axis 0 : (tensor<4x2x2x!snn.spikes<0, 4>>, tensor<4x2x2x!snn.spikes<0, 4>>) -> tensor<8x2x2x!snn.spikes<0, 4>>
    %k = snn.conv2d %j weight(dense<1> : tensor<4x8x1x1xi8>) : tensor<8x2x2x!snn.spikes<0, 4>> -> tensor<4x2x2xi32>
    %o = snn.accumulate %k : (tensor<4x2x2xi32>) -> tensor<4x2x2xi32>
    snn.output %o : tensor<4x2x2xi32>
  } : (tensor<2x4x4x!ann.count<0, 15>>) -> (tensor<4x2x2xi32>)
  func.return %y : tensor<4x2x2xi32>
}

// CHECK: cpu.fire %{{.*}} -> %[[S:.*]] threshold({{.*}}) layout [1, 2, 0] steps [1, 5] {nc.origin = "early"}
// CHECK: cpu.fill %[[B:.*]] steps [1, 2] : memref<2x2x4xi1>
// CHECK: cpu.copy %[[S]] -> %[[B]] sizes [2, 2, 2] from 0 [16, 4, 1] to 1 [8, 4, 1] steps [1, 5] : memref<4x4x2xi1> -> memref<2x2x4xi1>
// CHECK: cpu.diagonal %[[B]] -> %{{.*}} steps [1, 5]
// CHECK: cpu.fire %{{.*}} -> %[[T:.*]] threshold({{.*}}) layout [1, 2, 0] steps [8, 12] {nc.origin = "late"}
// CHECK: cpu.fill %[[J:.*]] steps [1, 2] : memref<2x2x8xi1>
// CHECK: cpu.fill %[[B]] steps [5, 6]
// CHECK: cpu.copy %[[B]] -> %[[J]] sizes [4, 4] from 0 [4, 1] to 0 [8, 1] steps [1, 6]
// CHECK: cpu.copy %[[T]] -> %[[J]] sizes [4, 4] from 0 [4, 1] to 4 [8, 1] steps [8, 12]
// CHECK: cpu.conv2d %[[J]] -> %{{.*}} steps [1, 12]
