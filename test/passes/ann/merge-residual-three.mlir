// RUN: nc-opt %s -p merge-residual --validate | filecheck %s

// A tree of sums is one layer; its biases are added.

func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  %0 = ann.linear %x weight(dense<2.0> : tensor<1x1xf32>) bias(dense<3.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
  %1 = ann.linear %x weight(dense<4.0> : tensor<1x1xf32>) bias(dense<5.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
  %2 = ann.add %0, %1 : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  %3 = ann.add %2, %x : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  %4 = ann.relu %3 : tensor<1xf32> -> tensor<1xf32>
  func.return %4 : tensor<1xf32>
}

// CHECK:      ann.neuron %{{.*}}, %{{.*}}, %{{.*}} bias(dense<8.000000e+00>
// CHECK-NOT:  ann.add
