// RUN: nc-opt %s -p quantize-weights | filecheck %s

// A membrane of 13 bits holds 4095: layers that could leave it get coarser weights, and are named.

builtin.module attributes {nc.constraints = {membrane_bits = 13 : i64}} {
  func.func @main(%p: tensor<4xf32>) -> tensor<1x!ann.count<0, 15>> {
    %x = host.quantize %p step(dense<1.0> : tensor<1xf64>) shift(dense<0.0> : tensor<1xf64>) scale(dense<1.0> : tensor<1xf64>) offset(dense<0.0> : tensor<1xf64>) : tensor<4xf32> -> tensor<4x!ann.count<0, 10>>
    %0 = ann.linear %x weight(dense<1.0> : tensor<3x4xf32>) : tensor<4x!ann.count<0, 10>> -> tensor<3xf32> loc("first"("model.py":8:0))
    %1 = ann.staircase %0 bias(dense<0.0> : tensor<1xf32>) threshold(dense<0.25> : tensor<1xf32>) initial(dense<0.5> : tensor<1xf32>) scale(dense<1.0> : tensor<1xf64>) levels 15 : (tensor<3xf32>) -> tensor<3x!ann.count<0, 15>> loc("first"("model.py":8:0))
    %2 = ann.linear %1 weight(dense<1.0> : tensor<1x3xf32>) : tensor<3x!ann.count<0, 15>> -> tensor<1xf32> loc("second"("model.py":9:0))
    %3 = ann.staircase %2 bias(dense<0.0> : tensor<1xf32>) threshold(dense<0.25> : tensor<1xf32>) initial(dense<0.5> : tensor<1xf32>) scale(dense<1.0> : tensor<1xf64>) levels 15 : (tensor<1xf32>) -> tensor<1x!ann.count<0, 15>> loc("second"("model.py":9:0))
    func.return %3 : tensor<1x!ann.count<0, 15>>
  }
}

// CHECK: nc.narrowed = ["first", "second"]
// CHECK: ann.linear %{{.*}} weight(dense<101> : tensor<3x4xi8>)
// CHECK: ann.linear %{{.*}} weight(dense<90> : tensor<1x3xi8>)
