// RUN: nc-opt %s -p quantize-weights | filecheck %s --check-prefix LATENCY
// RUN: sed 's/latency/unary/' %s | nc-opt -p quantize-weights | filecheck %s --check-prefix UNARY

// In code latency neurons are compared with T thresholds: 3 times 42 fits into 8 bits, 3 times 100 does not.

builtin.module attributes {nc.constraints = {threshold_bits = 8 : i64, codes = ["latency"]}} {
  func.func @main(%x: tensor<1x!ann.count<0, 3>>) -> tensor<1x!ann.count<0, 3>> {
    %0 = ann.linear %x weight(dense<[[1.27]]> : tensor<1x1xf32>) : tensor<1x!ann.count<0, 3>> -> tensor<1xf32>
    %1 = ann.staircase %0 bias(dense<0.5> : tensor<1xf32>) threshold(dense<1.0> : tensor<1xf32>) initial(dense<0.5> : tensor<1xf32>) scale(dense<1.0> : tensor<1xf64>) levels 3 : (tensor<1xf32>) -> tensor<1x!ann.count<0, 3>>
    func.return %1 : tensor<1x!ann.count<0, 3>>
  }
}

// LATENCY: weight(dense<53> : tensor<1x1xi8>)
// LATENCY: bias(dense<21> : tensor<1xi32>) threshold(dense<42> : tensor<1xi32>)
// UNARY: weight(dense<127> : tensor<1x1xi8>)
// UNARY: bias(dense<50> : tensor<1xi32>) threshold(dense<100> : tensor<1xi32>)
