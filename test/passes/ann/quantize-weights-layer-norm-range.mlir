// RUN: not nc-opt %s -p quantize-weights 2>&1 | filecheck %s

// The squares of a layer norm's charges must fit into 64 bits however its weights are rounded: here half a unit for each
// of 1024 counts up to 1023 is too much already.

func.func @main(%x: tensor<1024x!ann.count<-1023, 1023>>) -> tensor<1024x!ann.count<-4, 4>> {
  %0 = ann.linear %x weight(dense<1.0> : tensor<1024x1024xf32>) : tensor<1024x!ann.count<-1023, 1023>> -> tensor<1024xf32>
  %1 = ann.integer_layer_norm %0 gain(dense<1.0> : tensor<1xf64>) shift(dense<1.0> : tensor<1xf64>) epsilon 1.0 : f64 : (tensor<1024xf32>) -> tensor<1024x!ann.count<-4, 4>> loc("norm"("model.py":1:0))
  func.return %1 : tensor<1024x!ann.count<-4, 4>>
}

// CHECK: `ann.integer_layer_norm` (norm, model.py:1): its sum of squares could leave 64 bits. Use fewer timesteps, or a shorter row.
