// RUN: not nc-opt %s -p quantize-activations 2>&1 | filecheck %s

// Normalised pixels stand for scale times count plus an offset; a product of those is none of counts.

func.func @main(%p: tensor<1xui8>) -> tensor<1xf32> {
  %x = ann.input %p mean(dense<0.5> : tensor<1xf32>) std(dense<0.25> : tensor<1xf32>) : tensor<1xui8> -> tensor<1xf32>
  %0 = ann.mul %x, %x : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32> loc("square"("model.py":1:0))
  %1 = ann.relay %0 {nc.clip = dense<1.0> : tensor<1xf32>} : (tensor<1xf32>) -> tensor<1xf32>
  func.return %1 : tensor<1xf32>
}

// CHECK: `ann.mul` (square, model.py:1): it multiplies an input with an offset. Multiply behind the first layer.
