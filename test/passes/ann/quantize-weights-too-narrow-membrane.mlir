// RUN: not nc-opt %s -p quantize-weights 2>&1 | filecheck %s

// A membrane of 6 bits holds 31: no weight that it has room for is other than zero, and the layer is refused.

builtin.module attributes {nc.constraints = {membrane_bits = 6 : i64}} {
  func.func @main(%p: tensor<4xf32>) -> tensor<1x!ann.count<0, 15>> {
    %x = host.quantize %p step(dense<1.0> : tensor<1xf64>) shift(dense<0.0> : tensor<1xf64>) scale(dense<1.0> : tensor<1xf64>) offset(dense<0.0> : tensor<1xf64>) : tensor<4xf32> -> tensor<4x!ann.count<0, 10>>
    %0 = ann.linear %x weight(dense<1.0> : tensor<3x4xf32>) : tensor<4x!ann.count<0, 10>> -> tensor<3xf32> loc("first"("model.py":8:0))
    %1 = ann.staircase %0 bias(dense<0.0> : tensor<1xf32>) threshold(dense<0.25> : tensor<1xf32>) initial(dense<0.5> : tensor<1xf32>) scale(dense<1.0> : tensor<1xf64>) levels 15 : (tensor<3xf32>) -> tensor<3x!ann.count<0, 15>> loc("first"("model.py":8:0))
    %2 = ann.linear %1 weight(dense<1.0> : tensor<1x3xf32>) : tensor<3x!ann.count<0, 15>> -> tensor<1xf32> loc("second"("model.py":9:0))
    %3 = ann.staircase %2 bias(dense<0.0> : tensor<1xf32>) threshold(dense<0.25> : tensor<1xf32>) initial(dense<0.5> : tensor<1xf32>) scale(dense<1.0> : tensor<1xf64>) levels 15 : (tensor<1xf32>) -> tensor<1x!ann.count<0, 15>> loc("second"("model.py":9:0))
    func.return %3 : tensor<1x!ann.count<0, 15>>
  }
}

// CHECK: (first, model.py:8): its membrane could reach
