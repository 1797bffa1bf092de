// RUN: nc-opt %s | nc-opt | filecheck %s

func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = host.quantize %x step(dense<0.5> : tensor<1xf64>) shift(dense<0.0> : tensor<1xf64>) scale(dense<0.5> : tensor<1xf64>) offset(dense<0.0> : tensor<1xf64>) : tensor<2xf32> -> tensor<2x!ann.count<-8, 7>>
  %1 = host.dequantize %0 scale(dense<0.5> : tensor<1xf64>) offset(dense<1.0> : tensor<1xf64>) : tensor<2x!ann.count<-8, 7>> -> tensor<2xf32>
  %2 = "host.segment"(%1) ({
  ^bb0(%3: tensor<2xf32>):
    %4 = ann.softmax %3 axis 0 : tensor<2xf32> -> tensor<2xf32>
    host.yield %4 : tensor<2xf32>
  }) : (tensor<2xf32>) -> tensor<2xf32>
  func.return %2 : tensor<2xf32>
}

// CHECK: host.quantize %x step(dense<5.000000e-01> : tensor<1xf64>) shift(
// CHECK: host.dequantize %{{.*}} scale(dense<5.000000e-01> : tensor<1xf64>) offset(
// CHECK: "host.segment"
// CHECK: ann.softmax
// CHECK: host.yield
