// RUN: nc-opt %s | nc-opt | filecheck %s

// Loops of table layers and products print and parse; what is optional is left out.

func.func @main(%x: tensor<2x3xi8>) -> tensor<2x3xi32> {
  %y = cpu.program "network" steps 3 inputs(%x) {
  ^bb0(%0: memref<2x3xi8>):
    %1 = cpu.buffer : memref<2x3xi32>
    %2 = cpu.buffer : memref<2x3xi8>
    %3 = cpu.buffer : memref<3x3xi8>
    cpu.product %0, %0 -> %1 steps [0, 1] : memref<2x3xi8>, memref<2x3xi8> -> memref<2x3xi32>
    cpu.lookup %1 -> %2 threshold(dense<[1, 2, 3]> : tensor<3xi32>) clip -1 to 1 layout [1, 0] steps [1, 2] : memref<2x3xi32> -> memref<2x3xi8>
    cpu.lookup %1 -> %2 threshold(dense<1> : tensor<1xi32>) clip -1 to 1 table(dense<[4, 7, 2]> : tensor<3xi8>) scale(dense<0.5> : tensor<1xf64>) layout [0, 1] steps [1, 2] : memref<2x3xi32> -> memref<2x3xi8>
    cpu.softmax %1 -> %2 divisor(dense<9> : tensor<2xi32>) table(dense<[64, 8]> : tensor<2xi8>) levels 63 layout [0, 1] steps [1, 2] : memref<2x3xi32> -> memref<2x3xi8>
    cpu.layer_norm %1 -> %2 gain(dense<400> : tensor<3xi32>) shift(dense<128> : tensor<1xi32>) epsilon 7 clip -7 to 7 layout [0, 1] steps [1, 2] : memref<2x3xi32> -> memref<2x3xi8>
    cpu.matrix_product %2, %3 -> %1 steps [2, 3] : memref<2x3xi8>, memref<3x3xi8> -> memref<2x3xi32>
    cpu.output %1 : memref<2x3xi32>
  } : (tensor<2x3xi8>) -> (tensor<2x3xi32>)
  func.return %y : tensor<2x3xi32>
}

// CHECK: cpu.product %0, %0 -> %1 steps [0, 1] : memref<2x3xi8>, memref<2x3xi8> -> memref<2x3xi32>
// CHECK: cpu.lookup %1 -> %2 threshold(dense<[1, 2, 3]> : tensor<3xi32>) clip -1 to 1 layout [1, 0] steps [1, 2] :
// CHECK: cpu.lookup {{.*}} table(dense<[4, 7, 2]> : tensor<3xi8>) scale(dense<5.000000e-01> : tensor<1xf64>) layout
// CHECK: cpu.softmax %1 -> %2 divisor(dense<9> : tensor<2xi32>) table(dense<[64, 8]> : tensor<2xi8>) levels 63 layout
// CHECK: cpu.layer_norm %1 -> %2 gain(dense<400> : tensor<3xi32>) shift(dense<128> : tensor<1xi32>) epsilon 7 clip -7 to 7 layout
// CHECK: cpu.matrix_product %2, %3 -> %1 steps [2, 3] : memref<2x3xi8>, memref<3x3xi8> -> memref<2x3xi32>
