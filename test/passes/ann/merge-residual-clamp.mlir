// RUN: nc-opt %s --split-input-file -p merge-residual --validate | filecheck %s

// ReLU6 is a neuron with a maximum.

// CHECK-LABEL: @relu6
// CHECK:       ann.neuron %{{.*}} maximum 6.000000e+00 : f64 :
func.func @relu6(%x: tensor<1xf32>) -> tensor<1xf32> {
  %0 = ann.clamp %x minimum 0.0 : f64 maximum 6.0 : f64 : tensor<1xf32> -> tensor<1xf32>
  func.return %0 : tensor<1xf32>
}

// -----

// A clamp that lets negative values pass is no neuron.

// CHECK-LABEL: @hardtanh
// CHECK-NEXT:  ann.clamp
func.func @hardtanh(%x: tensor<1xf32>) -> tensor<1xf32> {
  %0 = ann.clamp %x minimum -1.0 : f64 maximum 1.0 : f64 : tensor<1xf32> -> tensor<1xf32>
  func.return %0 : tensor<1xf32>
}
