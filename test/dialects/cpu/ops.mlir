// RUN: nc-opt %s | nc-opt | filecheck %s

// Every operation prints and parses.

func.func @main(%x: tensor<4x4x2xf32>) -> tensor<3xf32> {
  %y = cpu.program "network" steps 9 inputs(%x) {
  ^bb0(%0: memref<4x4x2xf32>):
    %1 = cpu.buffer : memref<4x4x2xi8>
    %2 = cpu.buffer "layer1" range [-100, 200] offset 64 : memref<4x4x2xi32>
    %3 = cpu.buffer : memref<4x4x2xi1>
    %4 = cpu.buffer : memref<4x4x2xi32>
    %5 = cpu.buffer : memref<2x2x2xi1>
    %6 = cpu.buffer : memref<2x2x2xi32>
    %7 = cpu.buffer : memref<2x4x4x2xi1>
    %8 = cpu.buffer : memref<32xi1>
    %9 = cpu.buffer : memref<3xi32>
    %10 = cpu.buffer : memref<3xf32>
    cpu.fill %2 value(dense<5> : tensor<2xi32>) steps [0, 1] : memref<4x4x2xi32>
    cpu.quantize %0 -> %1 step(dense<0.5> : tensor<1xf64>) shift(dense<0.25> : tensor<1xf64>) clip -8 to 7 steps [0, 1] : memref<4x4x2xf32> -> memref<4x4x2xi8>
    cpu.conv2d %1 -> %2 weight(dense<1> : tensor<1x3x3x2x2xi8>) stride [1, 1] padding [1, 1, 1, 1] dilation [1, 1] steps [0, 1] : memref<4x4x2xi8> -> memref<4x4x2xi32>
    cpu.depthwise_conv2d %1 -> %2 weight(dense<1> : tensor<3x3x2xi8>) stride [1, 1] padding [1, 1, 1, 1] dilation [1, 1] steps [0, 1] : memref<4x4x2xi8> -> memref<4x4x2xi32>
    cpu.diagonal %1 -> %2 weight(dense<3> : tensor<2xi16>) steps [0, 1] : memref<4x4x2xi8> -> memref<4x4x2xi32>
    cpu.charge %2 value(dense<1> : tensor<1xi32>) steps [0, 9] : memref<4x4x2xi32>
    cpu.clamp %2 lowest(dense<0> : tensor<1xi32>) steps [0, 9] : memref<4x4x2xi32>
    cpu.fire %2 -> %3 threshold(dense<7> : tensor<2xi32>) fired %4 : memref<4x4x2xi32> ready %4 : memref<4x4x2xi32> reset_value(dense<1> : tensor<1xi32>) strict true spikes_per_step 2 levels 4 refractory 1 scale(dense<0.5> : tensor<1xf64>) layout [1, 2, 0] steps [1, 5] : memref<4x4x2xi32> -> memref<4x4x2xi1>
    cpu.recall %7 -> %3 steps [1, 9] : memref<2x4x4x2xi1> -> memref<4x4x2xi1>
    cpu.remember %3 -> %7 steps [1, 9] : memref<4x4x2xi1> -> memref<2x4x4x2xi1>
    cpu.max_pool2d %3 -> %5 kernel [2, 2] stride [2, 2] padding [0, 0, 0, 0] dilation [1, 1] steps [1, 9] : memref<4x4x2xi1> -> memref<2x2x2xi1>
    cpu.sum_pool2d %3 -> %6 kernel [2, 2] stride [2, 2] padding [0, 0, 0, 0] dilation [1, 1] steps [1, 9] : memref<4x4x2xi1> -> memref<2x2x2xi32>
    cpu.running_max_pool2d %3 -> %5 counts %4 highest %6 kernel [2, 2] stride [2, 2] padding [0, 0, 0, 0] dilation [1, 1] steps [1, 9] : memref<4x4x2xi1> -> memref<2x2x2xi1>, memref<4x4x2xi32>, memref<2x2x2xi32>
    cpu.copy %3 -> %8 sizes [2, 16] from 0 [1, 2] to 0 [16, 1] steps [1, 9] : memref<4x4x2xi1> -> memref<32xi1>
    cpu.fill %9 steps [1, 2] : memref<3xi32>
    cpu.linear %8 -> %9 weight(dense<1> : tensor<32x3xi8>) steps [1, 9] : memref<32xi1> -> memref<3xi32>
    cpu.add %9 -> %9 steps [1, 9] : memref<3xi32> -> memref<3xi32>
    cpu.dequantize %9 -> %10 scale(dense<0.5> : tensor<1xf64>) offset(dense<1.0> : tensor<3xf64>) steps [8, 9] : memref<3xi32> -> memref<3xf32>
    cpu.leak %10 decay(dense<0.5> : tensor<1xf32>) steps [8, 9] : memref<3xf32>
    cpu.output %10 : memref<3xf32>
  } : (tensor<4x4x2xf32>) -> (tensor<3xf32>)
  func.return %y : tensor<3xf32>
}

// CHECK: cpu.program "network" steps 9 inputs(%{{.*}}) {
// CHECK: cpu.buffer : memref<4x4x2xi8>
// CHECK: cpu.buffer "layer1" range [-100, 200] offset 64 : memref<4x4x2xi32>
// CHECK: cpu.fill %{{.*}} value(dense<5> : tensor<2xi32>) steps [0, 1] : memref<4x4x2xi32>
// CHECK: cpu.quantize %{{.*}} -> %{{.*}} step({{.*}}) shift({{.*}}) clip -8 to 7 steps [0, 1] :
// CHECK: cpu.conv2d %{{.*}} -> %{{.*}} weight({{.*}}) stride [1, 1] padding [1, 1, 1, 1] dilation [1, 1] steps [0, 1] :
// CHECK: cpu.depthwise_conv2d
// CHECK: cpu.diagonal
// CHECK: cpu.charge %{{.*}} value(dense<1> : tensor<1xi32>) steps [0, 9]
// CHECK: cpu.clamp %{{.*}} lowest(
// CHECK: cpu.fire %{{.*}} -> %{{.*}} threshold({{.*}}) fired %{{.*}} : memref<4x4x2xi32> ready %{{.*}} : memref<4x4x2xi32> reset_value({{.*}}) strict true spikes_per_step 2 levels 4 refractory 1 scale({{.*}}) layout [1, 2, 0] steps [1, 5] :
// CHECK: cpu.recall %{{.*}} -> %{{.*}} steps [1, 9]
// CHECK: cpu.remember %{{.*}} -> %{{.*}} steps [1, 9]
// CHECK: cpu.max_pool2d
// CHECK: cpu.sum_pool2d
// CHECK: cpu.running_max_pool2d %{{.*}} -> %{{.*}} counts %{{.*}} highest %{{.*}} kernel [2, 2]
// CHECK: cpu.copy %{{.*}} -> %{{.*}} sizes [2, 16] from 0 [1, 2] to 0 [16, 1] steps [1, 9]
// CHECK: cpu.linear
// CHECK: cpu.add
// CHECK: cpu.dequantize %{{.*}} -> %{{.*}} scale({{.*}}) offset({{.*}}) steps [8, 9]
// CHECK: cpu.leak %{{.*}} decay({{.*}}) steps [8, 9]
// CHECK: cpu.output %{{.*}} : memref<3xf32>
