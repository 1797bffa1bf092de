// RUN: nc-opt %s -p convert-ann-to-snn --validate | filecheck %s

// Table layers and products of counts keep every constant; what they read comes from synapses without accumulators.

func.func @main(%n: tensor<2x2x!ann.count<-3, 3>>) -> tensor<2x2xf32> {
  %0 = ann.diagonal %n weight(dense<3> : tensor<1xi8>) : tensor<2x2x!ann.count<-3, 3>> -> tensor<2x2xi32>
  %1 = ann.integer_layer_norm %0 gain(dense<400> : tensor<2xi32>) shift(dense<128> : tensor<1xi32>) epsilon 7 : i64 initial(dense<2> : tensor<1xi32>) scale(dense<0.5> : tensor<1xf64>) : (tensor<2x2xi32>) -> tensor<2x2x!ann.count<-7, 7>>
  %2 = ann.matrix_product %1, %1 : (tensor<2x2x!ann.count<-7, 7>>, tensor<2x2x!ann.count<-7, 7>>) -> tensor<2x2xi32>
  %3 = ann.integer_softmax %2 divisor(dense<4> : tensor<1xi32>) table(dense<[8, 4, 0]> : tensor<3xi32>) levels 14 scale(dense<0.25> : tensor<1xf64>) : (tensor<2x2xi32>) -> tensor<2x2x!ann.count<0, 14>>
  %4 = ann.product %3, %1 : (tensor<2x2x!ann.count<0, 14>>, tensor<2x2x!ann.count<-7, 7>>) -> tensor<2x2xi32>
  %5 = ann.lookup %4 threshold(dense<5> : tensor<2xi32>) initial(dense<2> : tensor<1xi32>) clip -3 to 3 scale(dense<2.0> : tensor<1xf64>) : (tensor<2x2xi32>) -> tensor<2x2x!ann.count<-3, 3>>
  %6 = ann.linear %5 weight(dense<2> : tensor<2x2xi8>) : tensor<2x2x!ann.count<-3, 3>> -> tensor<2x2xi32>
  %7 = ann.lookup %6 threshold(dense<5> : tensor<1xi32>) clip 0 to 2 table(dense<[-1, 4, 2]> : tensor<3xi32>) scale(dense<2.0> : tensor<1xf64>) : (tensor<2x2xi32>) -> tensor<2x2x!ann.count<-1, 4>>
  %8 = ann.linear %7 weight(dense<2> : tensor<2x2xi8>) : tensor<2x2x!ann.count<-1, 4>> -> tensor<2x2xi32>
  %y = host.dequantize %8 scale(dense<0.5> : tensor<1xf64>) : tensor<2x2xi32> -> tensor<2x2xf32>
  func.return %y : tensor<2x2xf32>
}

// CHECK:      snn.diagonal
// CHECK-NEXT: [[NORM:%.+]] = snn.layer_norm %{{.*}} gain(dense<400> : tensor<2xi32>) shift(dense<128> : tensor<1xi32>) epsilon 7 : i64 initial(dense<2> : tensor<1xi32>) scale(dense<5.000000e-01> : tensor<1xf64>) :
// CHECK-NEXT: [[SCORES:%.+]] = snn.matrix_product [[NORM]], [[NORM]] :
// CHECK-NEXT: [[SHARES:%.+]] = snn.softmax [[SCORES]] divisor(dense<4> : tensor<1xi32>) table(dense<[8, 4, 0]> : tensor<3xi32>) levels 14 scale(dense<2.500000e-01> : tensor<1xf64>) :
// CHECK-NEXT: [[PRODUCT:%.+]] = snn.product [[SHARES]], [[NORM]] :
// CHECK-NEXT: [[RELAY:%.+]] = snn.lookup [[PRODUCT]] threshold(dense<5> : tensor<2xi32>) initial(dense<2> : tensor<1xi32>) clip -3 to 3 scale(dense<2.000000e+00> : tensor<1xf64>) :
// CHECK-NEXT: snn.linear [[RELAY]]
// CHECK-NEXT: [[TABLE:%.+]] = snn.lookup %{{.*}} threshold(dense<5> : tensor<1xi32>) clip 0 to 2 table(dense<[-1, 4, 2]> : tensor<3xi32>)
// CHECK-NEXT: snn.linear [[TABLE]]
// CHECK-NEXT: snn.accumulate
