// RUN: nc-opt %s -p calibrate --validate | filecheck %s

// Statistics per channel on the input and on the neuron layer; the images come with the module.

builtin.module attributes {nc.calibration = [dense<[[-1.0, 0.5], [1.0, 2.0]]> : tensor<2x2xf32>]} {
  func.func @main(%arg: tensor<2xf32>) -> tensor<2xf32> {
    %x = ann.input %arg : tensor<2xf32> -> tensor<2xf32>
    %0 = ann.linear %x weight(dense<[[1.0, 0.0], [0.0, -1.0]]> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
    %1 = ann.neuron %0 : (tensor<2xf32>) -> tensor<2xf32>
    func.return %1 : tensor<2xf32>
  }
}

// CHECK:      ann.input
// CHECK-SAME:   minimum = dense<[-1.000000e+00, 5.000000e-01]>
// CHECK-SAME:   maximum = dense<[1.000000e+00, 2.000000e+00]>
// CHECK-SAME:   mean = dense<[0.000000e+00, 1.250000e+00]>
// CHECK-SAME:   histogram = dense_resource<histogram_{{[0-9a-f]+}}> : tensor<2x2048xi32>
// CHECK:      ann.neuron
// CHECK-SAME:   minimum = dense<0.000000e+00>
// CHECK-SAME:   maximum = dense<[1.000000e+00, 0.000000e+00]>
// CHECK-SAME:   variance = dense<[2.500000e-01, 0.000000e+00]>
