// RUN: nc-opt %s -p 'quantize-activations{timesteps=7}' | filecheck %s

// A softmax shares 7 for each of the two of its row; its table tells apart distances of 1/128 in units of the exponent,
// which the scale 0.5 makes twice as large.

func.func @main(%p: tensor<1xui8>) -> tensor<1xf32> {
  %x = ann.input %p mean(dense<0.0> : tensor<1xf32>) std(dense<1.0> : tensor<1xf32>) : tensor<1xui8> -> tensor<1xf32>
  %0 = ann.linear %x weight(dense<255.0> : tensor<2x1xf32>) : tensor<1xf32> -> tensor<2xf32>
  %1 = ann.relay %0 bias(dense<[1.0, 0.0]> : tensor<2xf32>) : (tensor<2xf32>) -> tensor<2xf32>
  %2 = ann.softmax %1 axis 0 scale 0.5 : f64 : tensor<2xf32> -> tensor<2xf32>
  %3 = ann.linear %2 weight(dense<14.0> : tensor<1x2xf32>) : tensor<2xf32> -> tensor<1xf32>
  func.return %3 : tensor<1xf32>
}

// CHECK:      ann.integer_softmax %{{.*}} divisor(dense<1.562500e-02> : tensor<1xf32>) initial(dense<[1.000000e+00, 0.000000e+00]> : tensor<2xf32>) table({{.*}}) levels 14 scale(dense<{{0.07142857.*}}> : tensor<1xf64>) : (tensor<2xf32>) -> tensor<2x!ann.count<0, 14>>
// CHECK-NEXT: ann.linear %{{.*}} weight(dense<1.000000e+00> : tensor<1x2xf32>)
