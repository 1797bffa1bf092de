// RUN: nc-opt %s -p quantize-weights | filecheck %s

// Weights that are large beside the steps of a table allow no finer charge: the index counts whole units of 4 steps.

func.func @main(%x: tensor<1x!ann.count<-3, 3>>) -> tensor<1x!ann.count<0, 7>> {
  %0 = ann.linear %x weight(dense<508.0> : tensor<1x1xf32>) : tensor<1x!ann.count<-3, 3>> -> tensor<1xf32>
  %1 = ann.lookup %0 threshold(dense<1.0> : tensor<1xf32>) initial(dense<0.0> : tensor<1xf32>) clip -4 to 3 table(dense<[0, 1, 2, 3, 4, 5, 6, 7]> : tensor<8xi32>) scale(dense<1.0> : tensor<1xf64>) : (tensor<1xf32>) -> tensor<1x!ann.count<0, 7>>
  func.return %1 : tensor<1x!ann.count<0, 7>>
}

// CHECK:      ann.linear %x weight(dense<127> : tensor<1x1xi8>)
// CHECK-NEXT: ann.lookup %{{.*}} threshold(dense<1> : tensor<1xi32>) initial(dense<0> : tensor<1xi32>) clip -1 to 0 table(dense<[2, 6]> : tensor<2xi32>)
