// RUN: nc-opt %s -p make-layer-major | filecheck %s

// The largest count of a window is followed over all steps.

func.func @main(%x: tensor<2x2x2xi8>) -> tensor<1x1x2xi32> {
  %y = cpu.program "network" steps 3 inputs(%x) {
  ^bb0(%0: memref<2x2x2xi8>):
    %1 = cpu.buffer : memref<2x2x2xi32>
    cpu.fill %1 steps [0, 1] : memref<2x2x2xi32>
    cpu.diagonal %0 -> %1 weight(dense<2> : tensor<1xi8>) steps [0, 1] : memref<2x2x2xi8> -> memref<2x2x2xi32>
    %2 = cpu.buffer : memref<2x2x2xi32>
    cpu.fill %2 steps [0, 1] : memref<2x2x2xi32>
    cpu.add %1 -> %2 steps [0, 3] : memref<2x2x2xi32> -> memref<2x2x2xi32>
    %3 = cpu.buffer : memref<2x2x2xi1>
    cpu.fire %2 -> %3 threshold(dense<9> : tensor<1xi32>) layout [1, 2, 0] steps [0, 3] : memref<2x2x2xi32> -> memref<2x2x2xi1>
    %a = cpu.buffer : memref<2x2x2xi32>
    %b = cpu.buffer : memref<1x1x2xi32>
    %c = cpu.buffer : memref<1x1x2xi1>
    cpu.fill %a steps [0, 1] : memref<2x2x2xi32>
    cpu.fill %b steps [0, 1] : memref<1x1x2xi32>
    cpu.running_max_pool2d %3 -> %c counts %a highest %b kernel [2, 2] stride [2, 2] padding [0, 0, 0, 0] dilation [1, 1] steps [0, 3] : memref<2x2x2xi1> -> memref<1x1x2xi1>, memref<2x2x2xi32>, memref<1x1x2xi32>
    %9 = cpu.buffer : memref<1x1x2xi32>
    cpu.fill %9 steps [0, 1] : memref<1x1x2xi32>
    cpu.diagonal %c -> %9 weight(dense<1> : tensor<1xi8>) steps [0, 3] : memref<1x1x2xi1> -> memref<1x1x2xi32>
    cpu.output %9 : memref<1x1x2xi32>
  } : (tensor<2x2x2xi8>) -> (tensor<1x1x2xi32>)
  func.return %y : tensor<1x1x2xi32>
}

// CHECK: cpu.max_pool_train {{.*}} counted true channels 2 kernel [2, 2]
// CHECK: cpu.count_train
