// RUN: not nc-opt %s -p calibrate-layers 2>&1 | filecheck %s

// Every layer needs a clip range to begin with; all that have none are listed.

builtin.module attributes {nc.calibration = [dense<1.0> : tensor<2x1xf32>]} {
  func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
    %0 = ann.diagonal %x weight(dense<1.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
    %y = ann.neuron %0 : (tensor<1xf32>) -> tensor<1xf32> loc("act"("model.py":7:0))
    func.return %y : tensor<1xf32>
  }
}

// CHECK: `ann.neuron` (act, model.py:7): it has no clip range. Run `balance-thresholds` first.
