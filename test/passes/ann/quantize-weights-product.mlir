// RUN: nc-opt %s -p quantize-weights | filecheck %s

// A product of counts is in whole units already: a threshold is rounded to them, and what reads the counts takes into
// account that 2.75 became 3.

func.func @main(%x: tensor<1x!ann.count<-4, 4>>) -> tensor<1xf32> {
  %0 = ann.product %x, %x : (tensor<1x!ann.count<-4, 4>>, tensor<1x!ann.count<-4, 4>>) -> tensor<1xi32>
  %1 = ann.lookup %0 threshold(dense<2.75> : tensor<1xf32>) initial(dense<1.375> : tensor<1xf32>) clip -4 to 4 scale(dense<2.75> : tensor<1xf64>) : (tensor<1xi32>) -> tensor<1x!ann.count<-4, 4>>
  %2 = host.dequantize %1 scale(dense<2.75> : tensor<1xf64>) : tensor<1x!ann.count<-4, 4>> -> tensor<1xf32>
  func.return %2 : tensor<1xf32>
}

// CHECK:      ann.lookup %0 threshold(dense<3> : tensor<1xi32>) initial(dense<1> : tensor<1xi32>) clip -4 to 4 scale(dense<3.000000e+00> : tensor<1xf64>) : (tensor<1xi32>) -> tensor<1x!ann.count<-4, 4>>
// CHECK-NEXT: host.dequantize %{{.*}} scale(dense<3.000000e+00> : tensor<1xf64>)
