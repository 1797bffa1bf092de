// RUN: not nc-opt %s 2>&1 | filecheck %s

// Every constant broadcasts onto the input.

func.func @main(%x: tensor<2xi32>) {
  %0 = host.dequantize %x scale(dense<1.0> : tensor<1xf64>) offset(dense<1.0> : tensor<3xf64>) : tensor<2xi32> -> tensor<2xf32>
  func.return
}

// CHECK: 'host.dequantize' a constant of shape (3,) does not broadcast onto (2,)
