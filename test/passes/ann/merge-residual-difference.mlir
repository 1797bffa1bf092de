// RUN: nc-opt %s -p merge-residual --validate | filecheck %s

// a - (b + x): the weights and the bias of b turn their signs, and so does the shortcut.

func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  %a = ann.linear %x weight(dense<2.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
  %b = ann.linear %x weight(dense<3.0> : tensor<1x1xf32>) bias(dense<4.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
  %0 = ann.add %b, %x : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  %1 = ann.sub %a, %0 : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  %2 = ann.relu %1 : tensor<1xf32> -> tensor<1xf32>
  func.return %2 : tensor<1xf32>
}

// CHECK: ann.linear %x weight(dense<2.000000e+00> : tensor<1x1xf32>)
// CHECK: ann.linear %x weight(dense<-3.000000e+00> : tensor<1x1xf32>)
// CHECK: ann.diagonal %x weight(dense<-1.000000e+00> : tensor<1xf32>)
// CHECK: ann.neuron {{.*}} bias(dense<-4.000000e+00> : tensor<1xf32>)
