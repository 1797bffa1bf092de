// RUN: nc-opt %s | nc-opt | filecheck %s

// Inputs, constants and neuron layers print and parse.

// CHECK-LABEL: @input
func.func @input(%x: tensor<3x4x4xf32>, %p: tensor<3x4x4xui8>) -> (tensor<3x4x4xf32>, tensor<3x4x4xf32>) {
  // CHECK-NEXT: ann.input %x : tensor<3x4x4xf32> -> tensor<3x4x4xf32>
  %0 = ann.input %x : tensor<3x4x4xf32> -> tensor<3x4x4xf32>
  // CHECK-NEXT: ann.input %p mean(dense<5.000000e-01> : tensor<3xf64>) std(dense<2.500000e-01> : tensor<3xf64>) : tensor<3x4x4xui8> -> tensor<3x4x4xf32>
  %1 = ann.input %p mean(dense<0.5> : tensor<3xf64>) std(dense<0.25> : tensor<3xf64>) : tensor<3x4x4xui8> -> tensor<3x4x4xf32>
  func.return %0, %1 : tensor<3x4x4xf32>, tensor<3x4x4xf32>
}

// CHECK-LABEL: @constant
func.func @constant() -> tensor<2xf32> {
  // CHECK-NEXT: ann.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32> -> tensor<2xf32>
  %0 = ann.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  func.return %0 : tensor<2xf32>
}

// CHECK-LABEL: @neuron
func.func @neuron(%x: tensor<2xf32>, %y: tensor<2xf32>) -> tensor<2xf32> {
  // CHECK-NEXT: ann.neuron %x : (tensor<2xf32>) -> tensor<2xf32>
  %0 = ann.neuron %x : (tensor<2xf32>) -> tensor<2xf32>
  // CHECK-NEXT: ann.neuron %x, %y bias(dense<1.000000e+00> : tensor<2xf32>) maximum 6.000000e+00 : f64 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %1 = ann.neuron %x, %y bias(dense<1.0> : tensor<2xf32>) maximum 6.0 : f64 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

// CHECK-LABEL: @staircase
func.func @staircase(%x: tensor<2x1x1xi32>) -> tensor<2x1x1x!ann.count<0, 15>> {
  // CHECK-NEXT: ann.staircase %x bias(dense<3> : tensor<2x1x1xi32>) threshold(dense<[{{\[\[}}10]], {{\[\[}}20]]]> : tensor<2x1x1xi32>) initial(dense<5> : tensor<1xi32>) scale(dense<5.000000e-01> : tensor<1xf64>) levels 15 : (tensor<2x1x1xi32>) -> tensor<2x1x1x!ann.count<0, 15>>
  %0 = ann.staircase %x bias(dense<3> : tensor<2x1x1xi32>) threshold(dense<[[[10]], [[20]]]> : tensor<2x1x1xi32>) initial(dense<5> : tensor<1xi32>) scale(dense<0.5> : tensor<1xf64>) levels 15 : (tensor<2x1x1xi32>) -> tensor<2x1x1x!ann.count<0, 15>>
  func.return %0 : tensor<2x1x1x!ann.count<0, 15>>
}
