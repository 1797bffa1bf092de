// RUN: nc-opt %s -p 'quantize-activations{timesteps=4}' --validate | filecheck %s

// With pixels as input the pixel nearest to zero is count 0 and nothing is rounded: 0.5 is pixel 127.5, count 0 is 128,
// and the half pixel between them goes into the bias. A neuron of range 2 and 4 levels has the threshold 0.5; the
// classifier absorbs it.

func.func @main(%arg: tensor<1xui8>) -> tensor<1xf32> {
  %x = ann.input %arg mean(dense<0.5> : tensor<1xf32>) std(dense<0.25> : tensor<1xf32>) : tensor<1xui8> -> tensor<1xf32>
  %0 = ann.linear %x weight(dense<63.75> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
  %1 = ann.neuron %0 bias(dense<3.0> : tensor<1xf32>) {nc.clip = dense<2.0> : tensor<1xf32>} : (tensor<1xf32>) -> tensor<1xf32>
  %2 = ann.linear %1 weight(dense<8.0> : tensor<1x1xf32>) bias(dense<1.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
  func.return %2 : tensor<1xf32>
}

// CHECK:      %x = host.quantize %arg step(dense<1.000000e+00> : tensor<1xf64>) shift(dense<1.280000e+02> : tensor<1xf64>)
// CHECK-SAME:   tensor<1xui8> -> tensor<1x!ann.count<-128, 127>>
// CHECK-NEXT: ann.linear %x weight(dense<1.000000e+00> : tensor<1x1xf32>)
// CHECK-NEXT: ann.staircase
// CHECK-SAME:   bias(dense<3.500000e+00> : tensor<1xf32>) threshold(dense<5.000000e-01> : tensor<1xf32>)
// CHECK-SAME:   initial(dense<2.500000e-01> : tensor<1xf32>) scale(dense<5.000000e-01> : tensor<1xf64>) levels 4
// CHECK-SAME:   tensor<1x!ann.count<0, 4>>
// CHECK-NEXT: ann.linear
// CHECK-SAME:   weight(dense<4.000000e+00> : tensor<1x1xf32>) bias(dense<1.000000e+00> : tensor<1xf32>)
