// RUN: not nc-opt %s -p verify-level 2>&1 | filecheck %s
// RUN: nc-opt %s -p 'verify-level{structure-only=true}'

// The module says its own level; what needs images is only asked for when the structure is not all that is wanted.

builtin.module attributes {nc.level = "ann-convertible"} {
  func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
    %0 = ann.linear %x weight(dense<1.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
    %1 = ann.neuron %0 : (tensor<1xf32>) -> tensor<1xf32> loc("act"("model.py":3:0))
    func.return %1 : tensor<1xf32>
  }
}

// CHECK: `ann.neuron` (act, model.py:3): it has no clip range. Run `calibrate` and `balance-thresholds`, with images.
