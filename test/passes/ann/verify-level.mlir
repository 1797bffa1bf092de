// RUN: not nc-opt %s -p 'verify-level{level="ann-convertible" structure-only=true}' 2>&1 | filecheck %s

// Everything that stands in the way is listed at once, with the user's line, the reason and what to do.

func.func @main(%arg: tensor<2x4x4xf32>) -> tensor<2x4x4xf32> {
  %x = ann.input %arg : tensor<2x4x4xf32> -> tensor<2x4x4xf32>
  %0 = ann.conv2d %x weight(dense<1.0> : tensor<2x2x1x1xf32>) : tensor<2x4x4xf32> -> tensor<2x4x4xf32> loc("conv1"("model.py":10:0))
  %1 = ann.conv2d %0 weight(dense<1.0> : tensor<2x2x1x1xf32>) : tensor<2x4x4xf32> -> tensor<2x4x4xf32> loc("conv2"("model.py":11:0))
  %2 = ann.gelu %1 : tensor<2x4x4xf32> -> tensor<2x4x4xf32> loc("act"("model.py":12:0))
  %3 = ann.add %2, %x : (tensor<2x4x4xf32>, tensor<2x4x4xf32>) -> tensor<2x4x4xf32> loc("block"("model.py":13:0))
  func.return %3 : tensor<2x4x4xf32>
}

// CHECK: 3 things stand between the model and level ann-convertible:
// CHECK-NEXT: `ann.conv2d` (conv2, model.py:11): it reads `ann.conv2d` (conv1, model.py:10) with no activation between. Put a ReLU
// CHECK-NEXT: `ann.gelu` (act, model.py:12): it has no spiking rule yet. Replace GELU by ReLU and fine-tune.
// CHECK-NEXT: `ann.add` (block, model.py:13): a sum with no activation behind it is no neuron layer. Put a ReLU behind the sum
