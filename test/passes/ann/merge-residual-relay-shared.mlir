// RUN: nc-opt %s -p merge-residual --validate | filecheck %s

// A sum that is relayed ends there: what reads the relay gets a diagonal, not the sum's branches once more.

func.func @main(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %0 = ann.linear %x weight(dense<0.5> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.relay %0 : (tensor<2xf32>) -> tensor<2xf32>
  %2 = ann.relu %1 : tensor<2xf32> -> tensor<2xf32>
  %3 = ann.linear %2 weight(dense<0.25> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
  %4 = ann.add %1, %3 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %5 = ann.relay %4 : (tensor<2xf32>) -> tensor<2xf32>
  func.return %2, %5 : tensor<2xf32>, tensor<2xf32>
}

// CHECK:      %1 = ann.relay %0
// CHECK-NEXT: %2 = ann.diagonal %1 weight(dense<1.000000e+00> : tensor<2xf32>)
// CHECK-NEXT: %3 = ann.neuron %2
// CHECK-NEXT: %4 = ann.linear %3
// CHECK-NEXT: %5 = ann.diagonal %1 weight(dense<1.000000e+00> : tensor<2xf32>)
// CHECK-NEXT: %6 = ann.relay %5, %4
