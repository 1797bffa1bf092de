// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<2xf32>) {
  %0 = host.quantize %x step(dense<0.5> : tensor<1xf64>) shift(dense<0.0> : tensor<1xf64>) scale(dense<0.5> : tensor<1xf64>) offset(dense<0.0> : tensor<1xf64>) : tensor<2xf32> -> tensor<2xi32>
  func.return
}
// CHECK: error: 'host.quantize' expected counts, found i32
