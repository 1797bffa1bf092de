// RUN: nc-opt %s -p merge-residual --validate | filecheck %s

// What is subtracted has weights and biases of the other sign, also inside of what is subtracted itself.

func.func @main(%x: tensor<1xf32>, %y: tensor<1xf32>) -> tensor<1xf32> {
  %0 = ann.linear %x weight(dense<2.0> : tensor<1x1xf32>) bias(dense<3.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
  %1 = ann.sub %0, %y : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  %2 = ann.sub %x, %1 : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  %3 = ann.relu %2 : tensor<1xf32> -> tensor<1xf32>
  func.return %3 : tensor<1xf32>
}

// CHECK-DAG:  %[[X:.*]] = ann.diagonal %x weight(dense<1.000000e+00>
// CHECK-DAG:  %[[Y:.*]] = ann.diagonal %y weight(dense<1.000000e+00>
// CHECK-DAG:  %[[C:.*]] = ann.linear %x weight(dense<-2.000000e+00>
// CHECK:      ann.neuron %[[X]], %[[C]], %[[Y]] bias(dense<-3.000000e+00>
