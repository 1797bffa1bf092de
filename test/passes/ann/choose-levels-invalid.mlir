// RUN: not nc-opt %s -p 'choose-levels{budget=0}' 2>&1 | filecheck %s
// RUN: not nc-opt %s -p 'choose-levels{budget=4}' 2>&1 | filecheck %s --check-prefix STATISTICS

builtin.module attributes {nc.calibration = [dense<[[0.3], [1.7]]> : tensor<2x1xf32>]} {
  func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
    %0 = ann.diagonal %x weight(dense<1.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
    %y = ann.neuron %0 : (tensor<1xf32>) -> tensor<1xf32> loc("act"("model.py":7:0))
    func.return %y : tensor<1xf32>
  }
}

// CHECK: choose-levels: 1 layers follow one another, so the budget must be at least 1 steps, not 0
// STATISTICS: `ann.neuron` (act, model.py:7): it has no statistics. Run `calibrate` first.
