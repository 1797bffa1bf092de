// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<2xf32>) {
  %0 = host.dequantize %x scale(dense<0.5> : tensor<1xf64>) : tensor<2xf32> -> tensor<2xf32>
  func.return
}
// CHECK: error: 'host.dequantize' expected i32 or counts, found f32
