// RUN: nc-opt %s -p quantize-weights | filecheck %s

// A table is made finer than needed: here two of its steps of 1 become one of 846 units, which says what the table holds
// at the middle of both.

func.func @main(%x: tensor<1x!ann.count<-3, 3>>) -> tensor<1x!ann.count<0, 7>> {
  %0 = ann.linear %x weight(dense<0.3> : tensor<1x1xf32>) : tensor<1x!ann.count<-3, 3>> -> tensor<1xf32>
  %1 = ann.lookup %0 threshold(dense<1.0> : tensor<1xf32>) initial(dense<2.0> : tensor<1xf32>) clip -4 to 3 table(dense<[0, 1, 2, 3, 4, 5, 6, 7]> : tensor<8xi32>) scale(dense<1.0> : tensor<1xf64>) : (tensor<1xf32>) -> tensor<1x!ann.count<0, 7>>
  func.return %1 : tensor<1x!ann.count<0, 7>>
}

// CHECK:      ann.linear %x weight(dense<127> : tensor<1x1xi8>)
// CHECK-NEXT: ann.lookup %{{.*}} threshold(dense<846> : tensor<1xi32>) initial(dense<846> : tensor<1xi32>) clip -2 to 1 table(dense<[1, 3, 5, 7]> : tensor<4xi32>)
