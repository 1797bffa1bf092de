// RUN: nc-opt %s -p 'quantize-activations{timesteps=4}' | filecheck %s

// With a row of 4 and a unit of 8 / 4 = 2: gain 2^8 sqrt(4) scale / 2, shift 2^8 (0.5 + shift / 2), epsilon 4^3 times the
// model's, because the root is taken of 4^3 times the variance.

func.func @main(%p: tensor<1xui8>) -> tensor<4xf32> {
  %x = ann.input %p mean(dense<0.0> : tensor<1xf32>) std(dense<1.0> : tensor<1xf32>) : tensor<1xui8> -> tensor<1xf32>
  %0 = ann.linear %x weight(dense<255.0> : tensor<4x1xf32>) : tensor<1xf32> -> tensor<4xf32>
  %1 = ann.relay %0 : (tensor<4xf32>) -> tensor<4xf32>
  %2 = ann.layer_norm %1 normalized [4] scale(dense<[1.0, 2.0, -1.0, 0.0]> : tensor<4xf32>) shift(dense<[0.0, 1.0, 2.0, -1.0]> : tensor<4xf32>) epsilon 0.25 : f64 {nc.clip = dense<8.0> : tensor<4xf32>} : tensor<4xf32> -> tensor<4xf32>
  func.return %2 : tensor<4xf32>
}

// CHECK: ann.integer_layer_norm %{{.*}} gain(dense<[2.560000e+02, 5.120000e+02, -2.560000e+02, 0.000000e+00]> : tensor<4xf64>) shift(dense<[1.280000e+02, 2.560000e+02, 3.840000e+02, 0.000000e+00]> : tensor<4xf64>) epsilon 1.600000e+01 : f64 scale(dense<2.000000e+00> : tensor<1xf64>) : (tensor<4xf32>) -> tensor<4x!ann.count<-4, 4>>
