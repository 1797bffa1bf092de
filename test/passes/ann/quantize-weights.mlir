// RUN: nc-opt %s -p quantize-weights --validate | filecheck %s
// RUN: nc-opt %s -p 'quantize-weights{weight-bits=4}' --validate | filecheck %s --check-prefix FOUR

// Two synapses of one neuron share a unit: the larger weight, 1.27, becomes 127. The threshold 1.004 is rounded to 100
// units, so a count now stands for 1.00 and the reader's weight shrinks by 100 / 100.4.

func.func @main(%x: tensor<1x!ann.count<0, 3>>) -> tensor<1xf32> {
  %0 = ann.linear %x weight(dense<1.27> : tensor<1x1xf32>) : tensor<1x!ann.count<0, 3>> -> tensor<1xf32>
  %1 = ann.diagonal %x weight(dense<0.5> : tensor<1xf32>) : tensor<1x!ann.count<0, 3>> -> tensor<1xf32>
  %2 = ann.staircase %0, %1 bias(dense<0.501> : tensor<1xf32>) threshold(dense<1.004> : tensor<1xf32>) initial(dense<0.502> : tensor<1xf32>) scale(dense<1.004> : tensor<1xf64>) levels 3 : (tensor<1xf32>, tensor<1xf32>) -> tensor<1x!ann.count<0, 3>>
  %3 = ann.linear %2 weight(dense<[[2.54]]> : tensor<1x1xf32>) bias(dense<[0.5]> : tensor<1xf32>) : tensor<1x!ann.count<0, 3>> -> tensor<1xf32>
  func.return %3 : tensor<1xf32>
}

// CHECK:      ann.linear %x weight(dense<127> : tensor<1x1xi8>) : tensor<1x!ann.count<0, 3>> -> tensor<1xi32>
// CHECK-NEXT: ann.diagonal %x weight(dense<50> : tensor<1xi8>)
// CHECK-NEXT: ann.staircase {{.*}} bias(dense<50> : tensor<1xi32>) threshold(dense<100> : tensor<1xi32>)
// CHECK-SAME:   initial(dense<50> : tensor<1xi32>) scale(dense<1.00{{[0-9]+}}> : tensor<1xf64>) levels 3
// CHECK-NEXT: ann.linear {{.*}} weight(dense<127> : tensor<1x1xi8>) bias(dense<25> : tensor<1xi32>)
// CHECK-NEXT: host.dequantize {{.*}} scale(dense<0.0199{{[0-9]+}}> : tensor<1xf64>) : tensor<1xi32> -> tensor<1xf32>

// FOUR: ann.linear %x weight(dense<7> : tensor<1x1xi8>)
