// RUN: nc-opt %s -p convert-ann-to-snn --validate | filecheck %s

// Between host segments stand networks of their own.

// CHECK:      %[[N:.*]] = snn.network code "count" steps 1 inputs(%n)
// CHECK:      host.dequantize %[[N]]
// CHECK:      "host.segment"
// CHECK:      %[[Q:.*]] = host.quantize
// CHECK-NEXT: snn.network code "count" steps 1 inputs(%[[Q]])
func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  %n = host.quantize %x step(dense<1.0> : tensor<1xf64>) shift(dense<0.0> : tensor<1xf64>) scale(dense<1.0> : tensor<1xf64>) offset(dense<0.0> : tensor<1xf64>) : tensor<1xf32> -> tensor<1x!ann.count<-8, 7>>
  %0 = ann.linear %n weight(dense<2> : tensor<1x1xi8>) : tensor<1x!ann.count<-8, 7>> -> tensor<1xi32>
  %1 = host.dequantize %0 scale(dense<0.5> : tensor<1xf64>) : tensor<1xi32> -> tensor<1xf32>
  %2 = "host.segment"(%1) ({
  ^bb0(%3: tensor<1xf32>):
    %4 = ann.tanh %3 : tensor<1xf32> -> tensor<1xf32>
    host.yield %4 : tensor<1xf32>
  }) : (tensor<1xf32>) -> tensor<1xf32>
  %m = host.quantize %2 step(dense<0.1> : tensor<1xf64>) shift(dense<0.0> : tensor<1xf64>) scale(dense<0.1> : tensor<1xf64>) offset(dense<0.0> : tensor<1xf64>) : tensor<1xf32> -> tensor<1x!ann.count<-8, 7>>
  %5 = ann.linear %m weight(dense<2> : tensor<1x1xi8>) : tensor<1x!ann.count<-8, 7>> -> tensor<1xi32>
  %y = host.dequantize %5 scale(dense<0.5> : tensor<1xf64>) : tensor<1xi32> -> tensor<1xf32>
  func.return %y : tensor<1xf32>
}
