// RUN: nc-opt %s -p 'quantize-activations{timesteps=4}' | filecheck %s

// A product of counts stands for the product of their units, 2 and 0.5: its relay says units of 12 / 4 = 3.

func.func @main(%p: tensor<1xui8>) -> tensor<1xf32> {
  %i = ann.input %p mean(dense<0.0> : tensor<1xf32>) std(dense<1.0> : tensor<1xf32>) : tensor<1xui8> -> tensor<1xf32>
  %0 = ann.linear %i weight(dense<255.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
  %1 = ann.relay %0 {nc.clip = dense<8.0> : tensor<1xf32>} : (tensor<1xf32>) -> tensor<1xf32>
  %2 = ann.linear %i weight(dense<255.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
  %3 = ann.relay %2 {nc.clip = dense<2.0> : tensor<1xf32>} : (tensor<1xf32>) -> tensor<1xf32>
  %4 = ann.mul %1, %3 : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  %5 = ann.relay %4 {nc.clip = dense<12.0> : tensor<1xf32>} : (tensor<1xf32>) -> tensor<1xf32>
  func.return %5 : tensor<1xf32>
}

// CHECK:      [[PRODUCT:%.+]] = ann.product %{{.*}}, %{{.*}} : (tensor<1x!ann.count<-4, 4>>, tensor<1x!ann.count<-4, 4>>) -> tensor<1xi32>
// CHECK-NEXT: ann.lookup [[PRODUCT]] threshold(dense<3.000000e+00> : tensor<1xf32>) initial(dense<1.500000e+00> : tensor<1xf32>) clip -4 to 4 scale(dense<3.000000e+00> : tensor<1xf64>) :
