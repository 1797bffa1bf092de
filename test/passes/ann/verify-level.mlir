// RUN: not nc-opt %s -p 'verify-level{level=ann-convertible structure-only=true}' 2>&1 | filecheck %s

// Everything that has no spiking rule is listed at once, in program order, with its place and a remedy.

func.func @main(%x: tensor<4x4xf32>, %i: tensor<1x3x3xf32>) -> (tensor<4x4xf32>, tensor<1x2x2xf32>) {
  %a = ann.softmax %x axis 0 : tensor<4x4xf32> -> tensor<4x4xf32> loc("gate.softmax"("model.py":7:0))
  %b = ann.log_softmax %a axis 1 : tensor<4x4xf32> -> tensor<4x4xf32>
  %c = ann.layer_norm %b normalized [4] epsilon 1.0 : f64 : tensor<4x4xf32> -> tensor<4x4xf32>
  %d = ann.gelu %c : tensor<4x4xf32> -> tensor<4x4xf32>
  %e = ann.silu %d : tensor<4x4xf32> -> tensor<4x4xf32>
  %f = ann.sigmoid %e : tensor<4x4xf32> -> tensor<4x4xf32>
  %g = ann.tanh %f : tensor<4x4xf32> -> tensor<4x4xf32>
  %h = ann.hard_swish %g : tensor<4x4xf32> -> tensor<4x4xf32>
  %j = ann.hard_sigmoid %h : tensor<4x4xf32> -> tensor<4x4xf32>
  %k = ann.leaky_relu %j slope 0.1 : f64 : tensor<4x4xf32> -> tensor<4x4xf32>
  %l = ann.clamp %k minimum -1.0 : f64 : tensor<4x4xf32> -> tensor<4x4xf32>
  %m = ann.relu %l : tensor<4x4xf32> -> tensor<4x4xf32>
  %n = ann.mul %m, %m : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %o = ann.matmul %n, %n : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %p = ann.attention %o, %o, %o scale 1.0 : f64 : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %q = ann.add %p, %p : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %r = ann.sub %q, %q : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %s = ann.batch_norm %r scale(dense<1.0> : tensor<4xf32>) shift(dense<1.0> : tensor<4xf32>) mean(dense<1.0> : tensor<4xf32>) variance(dense<1.0> : tensor<4xf32>) epsilon 1.0 : f64 : tensor<4x4xf32> -> tensor<4x4xf32>
  %t = ann.affine %s shift(dense<1.0> : tensor<1xf32>) : tensor<4x4xf32> -> tensor<4x4xf32>
  %u = ann.mean %t axes [1] keep true : tensor<4x4xf32> -> tensor<4x1xf32>
  %v = ann.average_pool2d %i kernel [1, 1] : tensor<1x3x3xf32> -> tensor<1x3x3xf32>
  %w = ann.adaptive_average_pool2d %v output [2, 2] : tensor<1x3x3xf32> -> tensor<1x2x2xf32>
  %y = ann.constant dense<1.0> : tensor<1xf32> -> tensor<1xf32>
  func.return %t, %w : tensor<4x4xf32>, tensor<1x2x2xf32>
}

// CHECK:      23 things stand between the model and level ann-convertible:
// CHECK-NEXT:   - `ann.softmax` (gate.softmax, model.py:7): its charge was not relayed. Run `insert-relays` first.
// CHECK-NEXT:   - `ann.softmax` (gate.softmax, model.py:7): it shares among another axis than the last. Transpose around it.
// CHECK-NEXT:   - `ann.log_softmax` ({{.*}}verify-level.mlir:7): a log-softmax between layers has no spiking rule. Keep it behind the last layer, where it runs on the host
// CHECK-NEXT:   - `ann.layer_norm` ({{.*}}): its charge was not relayed. Run `insert-relays` first.
// CHECK-NEXT:   - `ann.gelu` ({{.*}}): its charge was not relayed. Run `insert-relays` first.
// CHECK-NEXT:   - `ann.silu` ({{.*}}): its charge was not relayed. Run `insert-relays` first.
// CHECK-NEXT:   - `ann.sigmoid` ({{.*}}): its charge was not relayed. Run `insert-relays` first.
// CHECK-NEXT:   - `ann.tanh` ({{.*}}): its charge was not relayed. Run `insert-relays` first.
// CHECK-NEXT:   - `ann.hard_swish` ({{.*}}): its charge was not relayed. Run `insert-relays` first.
// CHECK-NEXT:   - `ann.hard_sigmoid` ({{.*}}): its charge was not relayed. Run `insert-relays` first.
// CHECK-NEXT:   - `ann.leaky_relu` ({{.*}}): its charge was not relayed. Run `insert-relays` first.
// CHECK-NEXT:   - `ann.clamp` ({{.*}}): its charge was not relayed. Run `insert-relays` first.
// CHECK-NEXT:   - `ann.relu` ({{.*}}): it was not merged into a neuron layer. Run `merge-residual` first.
// CHECK-NEXT:   - `ann.matmul` ({{.*}}): it reads `ann.mul` ({{.*}}) with no activation between. Put a ReLU between them, or merge the two layers into one.
// CHECK-NEXT:   - `ann.attention` ({{.*}}): a masked share is zero, which needs an infinite score. Use attention without a mask.
// CHECK-NEXT:   - `ann.add` ({{.*}}): a sum with no activation behind it is no neuron layer. Put a ReLU behind the sum, as in the original residual block.
// CHECK-NEXT:   - `ann.sub` ({{.*}}): a difference with no activation behind it is no neuron layer. Put a ReLU behind it.
// CHECK-NEXT:   - `ann.batch_norm` ({{.*}}): it was not folded. Run `fold-batch-norm` first.
// CHECK-NEXT:   - `ann.affine` ({{.*}}): a scale or shift is left that folds into no layer beside it. Put it next to a convolution.
// CHECK-NEXT:   - `ann.mean` ({{.*}}): only the mean over height and width becomes a pooling. Use average pooling.
// CHECK-NEXT:   - `ann.average_pool2d` ({{.*}}): it was not replaced by a sum. Run `replace-average-pooling` first.
// CHECK-NEXT:   - `ann.adaptive_average_pool2d` ({{.*}}): its windows differ in size. Use an output size that divides the input's.
// CHECK-NEXT:   - `ann.constant` ({{.*}}): a constant that is no weight has no spiking rule. Concatenate or add it on the host.
