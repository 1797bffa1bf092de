// RUN: nc-opt %s -p 'quantize-activations{timesteps=4}' | filecheck %s

// A matrix product has the scale of its factors' units, 2 and 0.5 and 1 by column; its relay has a threshold for each.

func.func @main(%p: tensor<1x2xui8>) -> tensor<1x2xf32> {
  %i = ann.input %p mean(dense<0.0> : tensor<1xf32>) std(dense<1.0> : tensor<1xf32>) : tensor<1x2xui8> -> tensor<1x2xf32>
  %0 = ann.diagonal %i weight(dense<255.0> : tensor<1xf32>) : tensor<1x2xf32> -> tensor<1x2xf32>
  %1 = ann.relay %0 {nc.clip = dense<8.0> : tensor<2xf32>} : (tensor<1x2xf32>) -> tensor<1x2xf32>
  %2 = ann.diagonal %i weight(dense<255.0> : tensor<1xf32>) : tensor<1x2xf32> -> tensor<1x2xf32>
  %3 = ann.relay %2 {nc.clip = dense<[2.0, 4.0]> : tensor<2xf32>} : (tensor<1x2xf32>) -> tensor<1x2xf32>
  %4 = ann.concat %3, %3 axis 0 : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<2x2xf32>
  %5 = ann.matmul %1, %4 : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %6 = ann.relay %5 {nc.clip = dense<16.0> : tensor<2xf32>} : (tensor<1x2xf32>) -> tensor<1x2xf32>
  func.return %6 : tensor<1x2xf32>
}

// CHECK:      [[PRODUCT:%.+]] = ann.matrix_product
// CHECK-NEXT: ann.lookup [[PRODUCT]] threshold(dense<{{\[+}}4.000000e+00, 2.000000e+00{{\]+}}> : tensor<{{1x2|2}}xf32>) initial(dense<{{\[+}}2.000000e+00, 1.000000e+00{{\]+}}> : tensor<{{1x2|2}}xf32>) clip -4 to 4 scale(dense<4.000000e+00> : tensor<1xf64>)
