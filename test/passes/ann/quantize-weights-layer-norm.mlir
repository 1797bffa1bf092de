// RUN: nc-opt %s -p quantize-weights | filecheck %s

// All charges of a layer norm get one unit, here 1/127, and its epsilon that of their square: 127^2 / 4.

func.func @main(%x: tensor<1x!ann.count<-3, 3>>) -> tensor<2x!ann.count<-4, 4>> {
  %0 = ann.linear %x weight(dense<[[1.0], [0.5]]> : tensor<2x1xf32>) : tensor<1x!ann.count<-3, 3>> -> tensor<2xf32>
  %1 = ann.integer_layer_norm %0 gain(dense<[300.4, -300.6]> : tensor<2xf64>) shift(dense<128.0> : tensor<1xf64>) epsilon 0.25 : f64 initial(dense<[0.0, 1.0]> : tensor<2xf32>) : (tensor<2xf32>) -> tensor<2x!ann.count<-4, 4>>
  func.return %1 : tensor<2x!ann.count<-4, 4>>
}

// CHECK:      ann.linear %x weight(dense<[{{\[}}127], [64]]> : tensor<2x1xi8>)
// CHECK-NEXT: ann.integer_layer_norm %{{.*}} gain(dense<[300, -301]> : tensor<2xi32>) shift(dense<128> : tensor<1xi32>) epsilon 4032 : i64 initial(dense<[0, 127]> : tensor<2xi32>)
