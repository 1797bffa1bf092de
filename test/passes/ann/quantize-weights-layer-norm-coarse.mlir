// RUN: nc-opt %s -p quantize-weights | filecheck %s

// Where squares of charges could leave 64 bits, all weights of the layer get a coarser unit: 2^31 / 256^1.5 less the
// rounding of one weight leaves 507903 units for counts up to 32767: 15.5, rounded to 16, of which the squares fit.

func.func @main(%x: tensor<256x!ann.count<-32767, 32767>>) -> tensor<256x!ann.count<-4, 4>> {
  %0 = ann.diagonal %x weight(dense<1.0> : tensor<1xf32>) : tensor<256x!ann.count<-32767, 32767>> -> tensor<256xf32>
  %1 = ann.integer_layer_norm %0 gain(dense<1.0> : tensor<1xf64>) shift(dense<1.0> : tensor<1xf64>) epsilon 1.0 : f64 : (tensor<256xf32>) -> tensor<256x!ann.count<-4, 4>>
  func.return %1 : tensor<256x!ann.count<-4, 4>>
}

// CHECK:      ann.diagonal %x weight(dense<16> : tensor<1xi8>)
// CHECK-NEXT: ann.integer_layer_norm
