// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  %y = snn.threshold %x threshold(dense<1.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
  func.return %y : tensor<1xf32>
}
// CHECK: expected spikes, found f32
