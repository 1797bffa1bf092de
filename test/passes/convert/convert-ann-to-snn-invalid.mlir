// RUN: not nc-opt %s -p convert-ann-to-snn 2>&1 | filecheck %s

func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  %0 = ann.relu %x : tensor<1xf32> -> tensor<1xf32> loc("act"("model.py":3:0))
  func.return %0 : tensor<1xf32>
}

// CHECK: `ann.relu` (act, model.py:3): it has no spiking form. Quantise the network first.
