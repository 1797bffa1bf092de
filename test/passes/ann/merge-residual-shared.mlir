// RUN: nc-opt %s --split-input-file -p merge-residual --validate | filecheck %s

// A sum that others read too is kept.

// CHECK-LABEL: @shared_sum
// CHECK-NEXT:  %[[S:.*]] = ann.add %x, %y
// CHECK-NEXT:  %[[D:.*]] = ann.diagonal %[[S]]
// CHECK-NEXT:  %[[N:.*]] = ann.neuron %[[D]]
// CHECK-NEXT:  func.return %[[N]], %[[S]]
func.func @shared_sum(%x: tensor<1xf32>, %y: tensor<1xf32>) -> (tensor<1xf32>, tensor<1xf32>) {
  %0 = ann.add %x, %y : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  %1 = ann.relu %0 : tensor<1xf32> -> tensor<1xf32>
  func.return %1, %0 : tensor<1xf32>, tensor<1xf32>
}

// -----

// A synapse that others read too is repeated, so that the neuron has one of its own.

// CHECK-LABEL: @shared_synapse
// CHECK-DAG:   %[[O:.*]] = ann.linear %x weight(dense<2.000000e+00> : tensor<1x1xf32>) bias
// CHECK-DAG:   %[[C:.*]] = ann.linear %x weight(dense<2.000000e+00> : tensor<1x1xf32>) :
// CHECK:       %[[N:.*]] = ann.neuron %[[C]] bias(dense<3.000000e+00>
// CHECK-NEXT:  func.return %[[N]], %[[O]]
func.func @shared_synapse(%x: tensor<1xf32>) -> (tensor<1xf32>, tensor<1xf32>) {
  %0 = ann.linear %x weight(dense<2.0> : tensor<1x1xf32>) bias(dense<3.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
  %1 = ann.relu %0 : tensor<1xf32> -> tensor<1xf32>
  func.return %1, %0 : tensor<1xf32>, tensor<1xf32>
}
