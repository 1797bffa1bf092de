// RUN: nc-opt %s -p convert-ann-to-snn --validate | filecheck %s
// RUN: nc-opt %s -p convert-ann-to-snn,encode-unary --validate | filecheck %s --check-prefix=UNARY

// A count that leaves the network is summed up: after the last step its spikes have passed.

func.func @main(%arg: tensor<2xf32>) -> tensor<2xf32> {
  %x = host.quantize %arg step(dense<1.0> : tensor<1xf64>) shift(dense<0.0> : tensor<1xf64>) scale(dense<1.0> : tensor<1xf64>) offset(dense<0.0> : tensor<1xf64>) : tensor<2xf32> -> tensor<2x!ann.count<-8, 7>>
  %0 = ann.linear %x weight(dense<5> : tensor<2x2xi8>) : tensor<2x!ann.count<-8, 7>> -> tensor<2xi32>
  %1 = ann.staircase %0 bias(dense<3> : tensor<1xi32>) threshold(dense<10> : tensor<1xi32>) initial(dense<5> : tensor<1xi32>) scale(dense<2.0> : tensor<1xf64>) levels 3 : (tensor<2xi32>) -> tensor<2x!ann.count<0, 3>>
  %2 = host.dequantize %1 scale(dense<0.5> : tensor<1xf64>) : tensor<2x!ann.count<0, 3>> -> tensor<2xf32>
  func.return %2 : tensor<2xf32>
}

// CHECK:      %[[NET:.*]] = snn.network code "count"
// CHECK:        %[[N:.*]] = snn.integrate_and_fire
// CHECK-NEXT:   %[[ONE:.*]] = snn.diagonal %[[N]] weight(dense<1> : tensor<1xi8>)
// CHECK-NEXT:   %[[SUM:.*]] = snn.accumulate %[[ONE]]
// CHECK-NEXT:   snn.output %[[SUM]] : tensor<2xi32>
// CHECK:      host.dequantize %[[NET]] {{.*}} : tensor<2xi32> -> tensor<2xf32>

// UNARY:        %[[N:.*]] = snn.integrate_and_fire {{.*}} -> tensor<2x!snn.spikes<0, 3>>
// UNARY-NEXT:   snn.diagonal %[[N]]
// UNARY:        snn.output {{.*}} : tensor<2xi32>
