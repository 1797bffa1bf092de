// RUN: not nc-opt %s -p quantize-weights 2>&1 | filecheck %s

// A relay's threshold follows from what its readers assume.

builtin.module attributes {nc.constraints = {threshold_exponent = 7 : i64}} {
  func.func @main(%x: tensor<2x!ann.count<0, 3>>) -> tensor<2x!ann.count<-3, 3>> {
    %0 = ann.linear %x weight(dense<[[1.0, 0.5], [0.25, -1.0]]> : tensor<2x2xf32>) : tensor<2x!ann.count<0, 3>> -> tensor<2xf32>
    %y = ann.lookup %0 threshold(dense<1.0> : tensor<1xf32>) initial(dense<0.5> : tensor<1xf32>) clip -3 to 3 scale(dense<1.0> : tensor<1xf64>) : (tensor<2xf32>) -> tensor<2x!ann.count<-3, 3>> loc("relay.py":1:1)
    func.return %y : tensor<2x!ann.count<-3, 3>>
  }
}

// CHECK: `ann.lookup` (relay.py:1): its thresholds are no powers of two, as the target's are. Use a target that divides by any integer.
