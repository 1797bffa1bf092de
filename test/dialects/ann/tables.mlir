// RUN: nc-opt %s | nc-opt | filecheck %s

// Layers that say signed numbers, and products, print and parse; what is optional is left out.

// CHECK-LABEL: @relay
func.func @relay(%x: tensor<2xf32>, %y: tensor<2xf32>) -> tensor<2xf32> {
  // CHECK-NEXT: ann.relay %x : (tensor<2xf32>) -> tensor<2xf32>
  %0 = ann.relay %x : (tensor<2xf32>) -> tensor<2xf32>
  // CHECK-NEXT: ann.relay %x, %y bias(dense<1.000000e+00> : tensor<1xf32>) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %1 = ann.relay %x, %y bias(dense<1.0> : tensor<1xf32>) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

// Without a table a lookup says its index, with one any integers.
// CHECK-LABEL: @lookup
func.func @lookup(%x: tensor<2xi32>, %y: tensor<2xi32>) {
  // CHECK-NEXT: ann.lookup %x, %y threshold(dense<4> : tensor<2xi32>) clip -3 to 5 : (tensor<2xi32>, tensor<2xi32>) -> tensor<2x!ann.count<-3, 5>>
  %0 = ann.lookup %x, %y threshold(dense<4> : tensor<2xi32>) clip -3 to 5 : (tensor<2xi32>, tensor<2xi32>) -> tensor<2x!ann.count<-3, 5>>
  // CHECK-NEXT: ann.lookup %x threshold(dense<4> : tensor<1xi32>) initial(dense<2> : tensor<2xi32>) clip 0 to 1 table(dense<[-1, 6]> : tensor<2xi32>) scale(dense<5.000000e-01> : tensor<1xf64>) : (tensor<2xi32>) -> tensor<2x!ann.count<-1, 6>>
  %1 = ann.lookup %x threshold(dense<4> : tensor<1xi32>) initial(dense<2> : tensor<2xi32>) clip 0 to 1 table(dense<[-1, 6]> : tensor<2xi32>) scale(dense<0.5> : tensor<1xf64>) : (tensor<2xi32>) -> tensor<2x!ann.count<-1, 6>>
  func.return
}

// CHECK-LABEL: @softmax
func.func @softmax(%x: tensor<2x3xi32>) {
  // CHECK-NEXT: ann.integer_softmax %x divisor(dense<9> : tensor<2x1xi32>) table(dense<[64, 8, 0]> : tensor<3xi32>) levels 63 : (tensor<2x3xi32>) -> tensor<2x3x!ann.count<0, 63>>
  %0 = ann.integer_softmax %x divisor(dense<9> : tensor<2x1xi32>) table(dense<[64, 8, 0]> : tensor<3xi32>) levels 63 : (tensor<2x3xi32>) -> tensor<2x3x!ann.count<0, 63>>
  func.return
}

// CHECK-LABEL: @layer_norm
func.func @layer_norm(%x: tensor<2x3xi32>, %z: tensor<2x3xf32>) {
  // CHECK-NEXT: ann.integer_layer_norm %x gain(dense<400> : tensor<3xi32>) shift(dense<128> : tensor<1xi32>) epsilon 7 : i64 initial(dense<2> : tensor<2x1xi32>) : (tensor<2x3xi32>) -> tensor<2x3x!ann.count<-7, 7>>
  %0 = ann.integer_layer_norm %x gain(dense<400> : tensor<3xi32>) shift(dense<128> : tensor<1xi32>) epsilon 7 : i64 initial(dense<2> : tensor<2x1xi32>) : (tensor<2x3xi32>) -> tensor<2x3x!ann.count<-7, 7>>
  // Of charges in floats the epsilon is a float, too.
  // CHECK-NEXT: ann.integer_layer_norm %z gain(dense<4.000000e+02> : tensor<1xf64>) shift(dense<1.280000e+02> : tensor<1xf64>) epsilon 2.500000e-01 : f64 : (tensor<2x3xf32>) -> tensor<2x3x!ann.count<-7, 7>>
  %1 = ann.integer_layer_norm %z gain(dense<400.0> : tensor<1xf64>) shift(dense<128.0> : tensor<1xf64>) epsilon 2.5e-01 : f64 : (tensor<2x3xf32>) -> tensor<2x3x!ann.count<-7, 7>>
  func.return
}

// CHECK-LABEL: @products
func.func @products(%x: tensor<4x2x3x!ann.count<-7, 7>>, %g: tensor<4x1x1x!ann.count<0, 15>>, %m: tensor<4x3x5x!ann.count<-7, 7>>) {
  // CHECK-NEXT: ann.product %x, %g : (tensor<4x2x3x!ann.count<-7, 7>>, tensor<4x1x1x!ann.count<0, 15>>) -> tensor<4x2x3xi32>
  %0 = ann.product %x, %g : (tensor<4x2x3x!ann.count<-7, 7>>, tensor<4x1x1x!ann.count<0, 15>>) -> tensor<4x2x3xi32>
  // CHECK-NEXT: ann.matrix_product %x, %m : (tensor<4x2x3x!ann.count<-7, 7>>, tensor<4x3x5x!ann.count<-7, 7>>) -> tensor<4x2x5xi32>
  %1 = ann.matrix_product %x, %m : (tensor<4x2x3x!ann.count<-7, 7>>, tensor<4x3x5x!ann.count<-7, 7>>) -> tensor<4x2x5xi32>
  func.return
}
