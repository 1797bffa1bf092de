// RUN: nc-opt %s -p quantize-weights | filecheck %s

// All charges of a softmax get one unit, the coarsest of the row's: 0.2 / 127, and 0.05 becomes 32. Two of the divisor are
// 1270 units; of the table every second power stays.

func.func @main(%x: tensor<1x!ann.count<-3, 3>>) -> tensor<2x!ann.count<0, 14>> {
  %0 = ann.linear %x weight(dense<[[0.2], [0.05]]> : tensor<2x1xf32>) : tensor<1x!ann.count<-3, 3>> -> tensor<2xf32>
  %1 = ann.integer_softmax %0 divisor(dense<1.0> : tensor<1xf32>) initial(dense<[1.0, 0.0]> : tensor<2xf32>) table(dense<[64, 32, 16, 8, 4, 0]> : tensor<6xi32>) levels 14 : (tensor<2xf32>) -> tensor<2x!ann.count<0, 14>>
  func.return %1 : tensor<2x!ann.count<0, 14>>
}

// CHECK:      ann.linear %x weight(dense<[{{\[}}127], [32]]> : tensor<2x1xi8>)
// CHECK-NEXT: ann.integer_softmax %{{.*}} divisor(dense<1270> : tensor<1xi32>) initial(dense<[635, 0]> : tensor<2xi32>) table(dense<[64, 16, 4, 0]> : tensor<4xi32>) levels 14
