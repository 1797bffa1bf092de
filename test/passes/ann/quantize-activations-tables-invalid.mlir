// RUN: not nc-opt %s -p quantize-activations 2>&1 | filecheck %s

// Relays and functions that lack a range or statistics, and products that are none of counts, are told at once.

func.func @main(%p: tensor<2xui8>, %f: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %x = ann.input %p mean(dense<0.0> : tensor<2xf32>) std(dense<1.0> : tensor<2xf32>) : tensor<2xui8> -> tensor<2xf32>
  %0 = ann.linear %x weight(dense<1.0> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
  %1 = ann.relay %0 : (tensor<2xf32>) -> tensor<2xf32> loc("relay"("model.py":1:0))
  %2 = ann.linear %x weight(dense<1.0> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
  %3 = ann.relay %2 : (tensor<2xf32>) -> tensor<2xf32> loc("charge"("model.py":2:0))
  %4 = ann.silu %3 {nc.clip = dense<1.0> : tensor<2xf32>} : tensor<2xf32> -> tensor<2xf32> loc("silu"("model.py":3:0))
  %5 = ann.linear %x weight(dense<1.0> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
  %6 = ann.relay %5 : (tensor<2xf32>) -> tensor<2xf32>
  %7 = ann.layer_norm %6 normalized [2] epsilon 1.0e-05 : f64 : tensor<2xf32> -> tensor<2xf32> loc("norm"("model.py":4:0))
  %8 = ann.mul %x, %f : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32> loc("gate"("model.py":5:0))
  func.return %1, %4, %7, %8 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// CHECK:      `ann.relay` (relay, model.py:1): it has no clip range. Run `balance-thresholds` first.
// CHECK-NEXT: `ann.relay` (charge, model.py:2): it has no statistics. Run `calibrate` first.
// CHECK-NEXT: `ann.layer_norm` (norm, model.py:4): it has no clip range. Run `balance-thresholds` first.
// CHECK-NEXT: `ann.mul` (gate, model.py:5): it does not multiply counts.
