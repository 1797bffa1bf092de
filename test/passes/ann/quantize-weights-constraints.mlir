// RUN: nc-opt %s -p quantize-weights --validate | filecheck %s

// What the target demands is written on the module and obeyed.

builtin.module attributes {nc.constraints = {weight_bits = 3 : i64}} {
  func.func @main(%x: tensor<1x!ann.count<0, 3>>) -> tensor<1xf32> {
    %0 = ann.linear %x weight(dense<1.0> : tensor<1x1xf32>) : tensor<1x!ann.count<0, 3>> -> tensor<1xf32>
    func.return %0 : tensor<1xf32>
  }
}

// CHECK: weight(dense<3> : tensor<1x1xi8>)
