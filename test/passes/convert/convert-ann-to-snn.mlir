// RUN: nc-opt %s -p convert-ann-to-snn --validate | filecheck %s

// A staircase becomes neurons, a readout an accumulator that takes its bias; inputs and outputs stay outside.

func.func @main(%arg: tensor<1xf32>) -> tensor<1xf32> {
  %x = host.quantize %arg step(dense<1.0> : tensor<1xf64>) shift(dense<0.0> : tensor<1xf64>) scale(dense<1.0> : tensor<1xf64>) offset(dense<0.0> : tensor<1xf64>) : tensor<1xf32> -> tensor<1x!ann.count<-8, 7>>
  %0 = ann.linear %x weight(dense<5> : tensor<1x1xi8>) : tensor<1x!ann.count<-8, 7>> -> tensor<1xi32>
  %1 = ann.staircase %0 bias(dense<3> : tensor<1xi32>) threshold(dense<10> : tensor<1xi32>) initial(dense<5> : tensor<1xi32>) scale(dense<2.0> : tensor<1xf64>) levels 3 : (tensor<1xi32>) -> tensor<1x!ann.count<0, 3>>
  %2 = ann.linear %1 weight(dense<7> : tensor<1x1xi8>) bias(dense<1> : tensor<1xi32>) : tensor<1x!ann.count<0, 3>> -> tensor<1xi32>
  %3 = host.dequantize %2 scale(dense<0.5> : tensor<1xf64>) : tensor<1xi32> -> tensor<1xf32>
  func.return %3 : tensor<1xf32>
}

// CHECK:      %x = host.quantize
// CHECK-NEXT: %[[NET:.*]] = snn.network code "count" steps 1 inputs(%x) {
// CHECK:        %[[IN:.*]] = snn.input
// CHECK-NEXT:   %[[I:.*]] = snn.linear %[[IN]] weight(dense<5> : tensor<1x1xi8>)
// CHECK-NEXT:   %[[N:.*]] = snn.integrate_and_fire %[[I]] threshold(dense<10> : tensor<1xi32>) initial(dense<5> : tensor<1xi32>) bias(dense<3> : tensor<1xi32>)
// CHECK-SAME:     levels 3
// CHECK-NEXT:   %[[O:.*]] = snn.linear %[[N]] weight(dense<7> : tensor<1x1xi8>)
// CHECK-NEXT:   %[[A:.*]] = snn.accumulate %[[O]] bias(dense<1> : tensor<1xi32>)
// CHECK-NEXT:   snn.output %[[A]] : tensor<1xi32>
// CHECK:      host.dequantize %[[NET]]
