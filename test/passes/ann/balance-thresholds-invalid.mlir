// RUN: not nc-opt %s -p balance-thresholds 2>&1 | filecheck %s
// RUN: not nc-opt %s -p 'balance-thresholds{method="mean"}' 2>&1 | filecheck %s --check-prefix METHOD
// RUN: not nc-opt %s -p 'balance-thresholds{timesteps=0}' 2>&1 | filecheck %s --check-prefix TIMESTEPS
// RUN: not nc-opt %s -p 'balance-thresholds{percentile=99.0}' 2>&1 | filecheck %s --check-prefix PERCENTILE
// RUN: not nc-opt %s -p 'balance-thresholds{method="percentile" percentile=0}' 2>&1 | filecheck %s --check-prefix RANGE

func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  %0 = ann.diagonal %x weight(dense<1.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
  %y = ann.neuron %0 : (tensor<1xf32>) -> tensor<1xf32> loc("act"("model.py":7:0))
  func.return %y : tensor<1xf32>
}

// CHECK: `ann.neuron` (act, model.py:7): it has no statistics. Run `calibrate` first.
// METHOD: method 'mean' is none of mse, percentile, max, local
// TIMESTEPS: timesteps must be 1 ... 32768, not 0
// PERCENTILE: percentile 99.0 goes with method 'percentile', not 'mse'
// RANGE: percentile must be above 0 and at most 100, not 0
