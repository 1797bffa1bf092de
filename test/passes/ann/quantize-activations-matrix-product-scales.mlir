// RUN: not nc-opt %s -p quantize-activations 2>&1 | filecheck %s

// A matrix product adds up columns: counts of different units cannot be added.

func.func @main(%p: tensor<2x2xui8>) -> tensor<2x2xf32> {
  %x = ann.input %p mean(dense<0.0> : tensor<2xf32>) std(dense<1.0> : tensor<2xf32>) : tensor<2x2xui8> -> tensor<2x2xf32>
  %0 = ann.diagonal %x weight(dense<1.0> : tensor<1xf32>) : tensor<2x2xf32> -> tensor<2x2xf32>
  %1 = ann.relay %0 {nc.clip = dense<[1.0, 2.0]> : tensor<2xf32>} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %2 = ann.matmul %1, %1 : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32> loc("product"("model.py":1:0))
  %3 = ann.relay %2 {nc.clip = dense<1.0> : tensor<2xf32>} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  func.return %3 : tensor<2x2xf32>
}

// CHECK: `ann.matmul` (product, model.py:1): it adds up products of different scale. Keep what is added up in one layer.
