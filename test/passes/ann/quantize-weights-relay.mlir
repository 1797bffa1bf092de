// RUN: nc-opt %s -p quantize-weights | filecheck %s

// What a relay's count stands for stays: the unit of the weights is coarsened from 0.3 / 127 to 1 / 423, so that the
// threshold is a whole number of units, exactly. Initially there are the bias and half a threshold.

func.func @main(%x: tensor<1x!ann.count<-3, 3>>) -> tensor<1x!ann.count<-3, 3>> {
  %0 = ann.linear %x weight(dense<0.3> : tensor<1x1xf32>) : tensor<1x!ann.count<-3, 3>> -> tensor<1xf32>
  %1 = ann.lookup %0 threshold(dense<1.0> : tensor<1xf32>) initial(dense<2.5> : tensor<1xf32>) clip -3 to 3 scale(dense<0.25> : tensor<1xf64>) : (tensor<1xf32>) -> tensor<1x!ann.count<-3, 3>>
  func.return %1 : tensor<1x!ann.count<-3, 3>>
}

// CHECK:      ann.linear %x weight(dense<127> : tensor<1x1xi8>)
// CHECK-NEXT: ann.lookup %{{.*}} threshold(dense<423> : tensor<1xi32>) initial(dense<1057> : tensor<1xi32>) clip -3 to 3 scale(dense<2.500000e-01> : tensor<1xf64>) : (tensor<1xi32>) -> tensor<1x!ann.count<-3, 3>>
