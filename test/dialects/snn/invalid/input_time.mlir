// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %y = snn.input %x code "spikes" : tensor<f32> -> tensor<f32>
  func.return %y : tensor<f32>
}
// CHECK: with code "spikes" the first axis of the value is time
