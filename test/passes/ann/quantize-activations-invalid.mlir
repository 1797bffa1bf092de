// RUN: not nc-opt %s -p quantize-activations 2>&1 | filecheck %s

// Everything that is missing is said at once.

func.func @main(%arg: tensor<1xf32>) -> tensor<1xf32> {
  %x = ann.input %arg : tensor<1xf32> -> tensor<1xf32> loc("input"("model.py":3:0))
  %0 = ann.linear %x weight(dense<2.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32> loc("fc"("model.py":4:0))
  %1 = ann.neuron %0 : (tensor<1xf32>) -> tensor<1xf32> loc("act"("model.py":5:0))
  %2 = ann.sigmoid %1 : tensor<1xf32> -> tensor<1xf32> loc("sigmoid"("model.py":6:0))
  func.return %2 : tensor<1xf32>
}

// CHECK:      the activations cannot be quantised:
// CHECK-NEXT: `ann.input` (input, model.py:3): the input has no statistics. Run `calibrate` first.
// CHECK-NEXT: `ann.linear` (fc, model.py:4): its input is no count.
// CHECK-NEXT: `ann.neuron` (act, model.py:5): it has no clip range. Run `balance-thresholds` first.
// CHECK-NEXT: `ann.sigmoid` (sigmoid, model.py:6): it reads no relay. Run `insert-relays` first.
