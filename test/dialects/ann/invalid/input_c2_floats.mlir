// RUN: not nc-opt %s 2>&1 | filecheck %s

// Floats are taken as they are.

func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %r = ann.input %x mean(dense<0.5> : tensor<1xf32>) std(dense<0.5> : tensor<1xf32>) : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  func.return %r : tensor<1x2x2xf32>
}

// CHECK: mean and std come together, with ui8 pixels and only with them
