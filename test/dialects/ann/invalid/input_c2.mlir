// RUN: not nc-opt %s 2>&1 | filecheck %s

// Pixels need a mean and a standard deviation.

func.func @main(%x: tensor<1x2x2xui8>) -> tensor<1x2x2xf32> {
  %r = ann.input %x : tensor<1x2x2xui8> -> tensor<1x2x2xf32>
  func.return %r : tensor<1x2x2xf32>
}

// CHECK: mean and std come together, with ui8 pixels and only with them
