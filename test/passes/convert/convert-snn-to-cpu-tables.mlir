// RUN: nc-opt %s -p convert-snn-to-cpu | filecheck %s

// A product adds straight onto the membrane of the only layer that reads it, and the layer says what its table holds,
// at one step, from rows in the user's own order of axes; a factor that waits is kept in a line.

func.func @main(%x: tensor<2x3x2x!ann.count<-8, 7>>) -> tensor<2x3x2xi32> {
  %y = snn.network code "graded" steps 3 inputs(%x) {
  ^bb0(%i: tensor<2x3x2x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<2x3x2x!ann.count<-8, 7>> -> tensor<2x3x2x!snn.graded<-8, 7>>
    %1 = snn.transpose %0 permutation [0, 2, 1] : tensor<2x3x2x!snn.graded<-8, 7>> -> tensor<2x2x3x!snn.graded<-8, 7>>
    %2 = snn.matrix_product %0, %1 : (tensor<2x3x2x!snn.graded<-8, 7>>, tensor<2x2x3x!snn.graded<-8, 7>>) -> tensor<2x3x3xi32>
    %3 = snn.softmax %2 divisor(dense<[[[4]], [[5]]]> : tensor<2x1x1xi32>) table(dense<[64, 32, 16, 8]> : tensor<4xi16>) levels 15 fire [1, 2] : (tensor<2x3x3xi32>) -> tensor<2x3x3x!snn.graded<0, 15>>
    %4 = snn.delay %0 steps 1 : tensor<2x3x2x!snn.graded<-8, 7>> -> tensor<2x3x2x!snn.graded<-8, 7>>
    %5 = snn.matrix_product %3, %4 : (tensor<2x3x3x!snn.graded<0, 15>>, tensor<2x3x2x!snn.graded<-8, 7>>) -> tensor<2x3x2xi32>
    %6 = snn.lookup %5 threshold(dense<8> : tensor<1xi32>) initial(dense<[4, -4]> : tensor<2xi32>) clip -99 to 99 fire [2, 3] : (tensor<2x3x2xi32>) -> tensor<2x3x2x!snn.graded<-99, 99>>
    %7 = snn.product %6, %6 : (tensor<2x3x2x!snn.graded<-99, 99>>, tensor<2x3x2x!snn.graded<-99, 99>>) -> tensor<2x3x2xi32>
    %8 = snn.accumulate %7 : (tensor<2x3x2xi32>) -> tensor<2x3x2xi32>
    snn.output %8 : tensor<2x3x2xi32>
  } : (tensor<2x3x2x!ann.count<-8, 7>>) -> (tensor<2x3x2xi32>)
  func.return %y : tensor<2x3x2xi32>
}

// CHECK:      [[TURNED:%.*]] = cpu.buffer : memref<2x2x3xi8>
// CHECK-NEXT: cpu.copy {{.*}} -> [[TURNED]]
// CHECK:      cpu.matrix_product {{.*}}, [[TURNED]] -> [[SCORES:%.*]] steps [0, 1] : memref<2x3x2xi8>, memref<2x2x3xi8> -> memref<2x3x3xi32>
// CHECK:      cpu.softmax [[SCORES]] -> [[SHARES:%.*]] divisor(dense<[4, 4, 4, 5, 5, 5]> : tensor<6xi32>) {{.*}} layout [0, 1, 2] steps [1, 2] :
// CHECK:      [[MIXED:%.*]] = cpu.buffer range [-364, 319] : memref<2x3x2xi32>
// CHECK:      cpu.matrix_product [[SHARES]], {{.*}} -> [[MIXED]] steps [1, 2] : memref<2x3x3xui8>, memref<2x3x2xi8> -> memref<2x3x2xi32>
// CHECK:      cpu.lookup [[MIXED]] -> [[SAID:%.*]] threshold(dense<8> : tensor<1xi32>) clip -99 to 99 layout [0, 1, 2] steps [2, 3] :
// CHECK:      cpu.product [[SAID]], [[SAID]] -> {{.*}} steps [2, 3] : memref<2x3x2xi8>, memref<2x3x2xi8> -> memref<2x3x2xi32>
