// RUN: nc-opt %s -p 'quantize-activations{timesteps=3}' | filecheck %s

// A relay says its charge in units of a third of its range, 6 / 3 = 2, to the nearest: half a threshold and the bias are
// there from the start. What reads it absorbs the 2.

func.func @main(%p: tensor<1xui8>) -> tensor<1xf32> {
  %x = ann.input %p mean(dense<0.0> : tensor<1xf32>) std(dense<1.0> : tensor<1xf32>) : tensor<1xui8> -> tensor<1xf32>
  %0 = ann.linear %x weight(dense<255.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
  %1 = ann.relay %0 bias(dense<-8.0> : tensor<1xf32>) {nc.clip = dense<6.0> : tensor<1xf32>} : (tensor<1xf32>) -> tensor<1xf32>
  %2 = ann.linear %1 weight(dense<5.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
  func.return %2 : tensor<1xf32>
}

// CHECK:      ann.linear %x weight(dense<1.000000e+00> : tensor<1x1xf32>)
// CHECK-NEXT: ann.lookup %{{.*}} threshold(dense<2.000000e+00> : tensor<1xf32>) initial(dense<-7.000000e+00> : tensor<1xf32>) clip -3 to 3 scale(dense<2.000000e+00> : tensor<1xf64>) : (tensor<1xf32>) -> tensor<1x!ann.count<-3, 3>>
// CHECK-NEXT: ann.linear %{{.*}} weight(dense<1.000000e+01> : tensor<1x1xf32>)
