// RUN: nc-opt %s -p merge-residual --validate | filecheck %s

// What a relay reads becomes synapses of it, as for a neuron: biases are added, and what is no synapse gets a diagonal.

func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = ann.linear %x weight(dense<0.5> : tensor<2x2xf32>) bias(dense<[3.0, 4.0]> : tensor<2xf32>) : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.sub %0, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %2 = ann.relay %1 : (tensor<2xf32>) -> tensor<2xf32>
  func.return %2 : tensor<2xf32>
}

// CHECK:      %0 = ann.linear %x weight(dense<5.000000e-01> : tensor<2x2xf32>) :
// CHECK-NEXT: %1 = ann.diagonal %x weight(dense<-1.000000e+00> : tensor<2xf32>)
// CHECK-NEXT: %2 = ann.relay %0, %1 bias(dense<[3.000000e+00, 4.000000e+00]> : tensor<2xf32>)
// CHECK-NEXT: func.return %2
