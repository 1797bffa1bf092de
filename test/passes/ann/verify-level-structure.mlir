// RUN: not nc-opt %s -p 'verify-level{level=ann-convertible structure-only=true}' 2>&1 | filecheck %s

// Operations that may appear must also stand in the right order: neurons read synapses, synapses read neurons.

func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  %0 = ann.neuron %x : (tensor<1xf32>) -> tensor<1xf32> loc("model.py":3:0)
  %1 = ann.linear %0 weight(dense<1.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32> loc("model.py":4:0)
  %2 = ann.linear %1 weight(dense<1.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32> loc(unknown)
  %3 = ann.reshape %2 : tensor<1xf32> -> tensor<1x1xf32> loc("model.py":6:0)
  func.return %2 : tensor<1xf32>
}

// CHECK:      3 things stand between the model and level ann-convertible:
// CHECK-NEXT:   - `ann.neuron` (model.py:3): a current comes from no synapse. Run `merge-residual` first.
// CHECK-NEXT:   - `ann.linear`: it reads `ann.linear` (model.py:4) with no activation between. Put a ReLU between them, or merge the two layers into one.
// CHECK-NEXT:   - `ann.reshape` (model.py:6): it reads `ann.linear` with no activation between.
