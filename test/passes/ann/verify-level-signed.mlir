// RUN: not nc-opt %s -p 'verify-level{level=ann-convertible structure-only=true}' 2>&1 | filecheck %s

// A target without graded spikes refuses what says signed numbers, with what to do there.

builtin.module attributes {nc.constraints = {codes = ["unary"]}} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    %i = ann.input %x : tensor<4xf32> -> tensor<4xf32>
    %0 = ann.linear %i weight(dense<1.0> : tensor<4x4xf32>) : tensor<4xf32> -> tensor<4xf32>
    %1 = ann.relay %0 : (tensor<4xf32>) -> tensor<4xf32> loc("stem")
    %2 = ann.gelu %1 : tensor<4xf32> -> tensor<4xf32> loc("act")
    %3 = ann.linear %2 weight(dense<1.0> : tensor<4x4xf32>) : tensor<4xf32> -> tensor<4xf32>
    func.return %3 : tensor<4xf32>
  }
}

// CHECK:      2 things stand between the model and level ann-convertible:
// CHECK-NEXT: `ann.relay` (stem): it needs spikes that carry a number (code graded), not unary. Put a ReLU between the layers
// CHECK-NEXT: `ann.gelu` (act): it needs spikes that carry a number (code graded), not unary. Replace it by ReLU and fine-tune.
