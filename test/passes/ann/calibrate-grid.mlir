// RUN: nc-opt %s -p calibrate --validate | filecheck %s

// An input that only takes evenly spaced values is recognised: step 0.5, first value -0.5, three points.

builtin.module attributes {nc.calibration = [dense<[
    [-0.5], [0.0], [0.5], [0.0], [0.0], [0.0], [0.5], [0.5], [0.5], [0.5], [-0.5], [0.0], [0.5], [0.0], [0.0], [0.0],
    [-0.5], [0.0], [0.5], [0.0], [0.0], [0.0], [0.5], [0.5], [0.5], [0.5], [-0.5], [0.0], [0.5], [0.0], [0.0], [0.0],
    [-0.5], [0.0], [0.5], [0.0], [0.0], [0.0], [0.5], [0.5], [0.5], [0.5], [-0.5], [0.0], [0.5], [0.0], [0.0], [0.0]
  ]> : tensor<48x1xf32>]} {
  func.func @main(%arg: tensor<1xf32>) -> tensor<1xf32> {
    %x = ann.input %arg : tensor<1xf32> -> tensor<1xf32>
    func.return %x : tensor<1xf32>
  }
}

// CHECK: ann.input
// CHECK-SAME: grid = dense<{{\[\[}}5.000000e-01, -5.000000e-01, 3.000000e+00]]>
