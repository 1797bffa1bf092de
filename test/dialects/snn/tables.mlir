// RUN: nc-opt %s | nc-opt | filecheck %s

// Table layers and products print and parse; what is optional is left out.

func.func @main(%x: tensor<2x3x!ann.count<-8, 7>>) -> tensor<2x2xi32> {
  %y = snn.network code "graded" steps 3 inputs(%x) {
  ^bb0(%i: tensor<2x3x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<2x3x!ann.count<-8, 7>> -> tensor<2x3x!snn.graded<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<3> : tensor<1xi8>) : tensor<2x3x!snn.graded<-8, 7>> -> tensor<2x3xi32>
    %2 = snn.lookup %1, %1 threshold(dense<4> : tensor<3xi32>) clip -4 to 4 fire [1, 2] : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x3x!snn.graded<-4, 4>>
    %3 = snn.lookup %1 threshold(dense<4> : tensor<1xi32>) initial(dense<2> : tensor<3xi32>) clip 0 to 1 table(dense<[-1, 5]> : tensor<2xi8>) scale(dense<0.5> : tensor<1xf64>) fire [1, 2] : (tensor<2x3xi32>) -> tensor<2x3x!snn.graded<-1, 5>>
    %4 = snn.layer_norm %1 gain(dense<400> : tensor<3xi32>) shift(dense<128> : tensor<1xi32>) epsilon 7 : i64 initial(dense<2> : tensor<2x1xi32>) fire [1, 2] : (tensor<2x3xi32>) -> tensor<2x3x!snn.graded<-7, 7>>
    %5 = snn.product %3, %4 : (tensor<2x3x!snn.graded<-1, 5>>, tensor<2x3x!snn.graded<-7, 7>>) -> tensor<2x3xi32>
    %6 = snn.transpose %2 permutation [1, 0] : tensor<2x3x!snn.graded<-4, 4>> -> tensor<3x2x!snn.graded<-4, 4>>
    %7 = snn.softmax %5 divisor(dense<9> : tensor<2x1xi32>) table(dense<[64, 8]> : tensor<2xi8>) levels 63 fire [2, 3] : (tensor<2x3xi32>) -> tensor<2x3x!snn.graded<0, 63>>
    %8 = snn.delay %6 steps 1 : tensor<3x2x!snn.graded<-4, 4>> -> tensor<3x2x!snn.graded<-4, 4>>
    %9 = snn.matrix_product %7, %8 : (tensor<2x3x!snn.graded<0, 63>>, tensor<3x2x!snn.graded<-4, 4>>) -> tensor<2x2xi32>
    %10 = snn.accumulate %9 : (tensor<2x2xi32>) -> tensor<2x2xi32>
    snn.output %10 : tensor<2x2xi32>
  } : (tensor<2x3x!ann.count<-8, 7>>) -> (tensor<2x2xi32>)
  func.return %y : tensor<2x2xi32>
}

// CHECK: snn.lookup %1, %1 threshold(dense<4> : tensor<3xi32>) clip -4 to 4 fire [1, 2] :
// CHECK: snn.lookup %1 threshold(dense<4> : tensor<1xi32>) initial(dense<2> : tensor<3xi32>) clip 0 to 1 table(dense<[-1, 5]> : tensor<2xi8>) scale(dense<5.000000e-01> : tensor<1xf64>) fire [1, 2] :
// CHECK: snn.layer_norm %1 gain(dense<400> : tensor<3xi32>) shift(dense<128> : tensor<1xi32>) epsilon 7 : i64 initial(dense<2> : tensor<2x1xi32>) fire [1, 2] :
// CHECK: snn.product %3, %4 :
// CHECK: snn.softmax %5 divisor(dense<9> : tensor<2x1xi32>) table(dense<[64, 8]> : tensor<2xi8>) levels 63 fire [2, 3] :
// CHECK: snn.matrix_product %7, %8 :
