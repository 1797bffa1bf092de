// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %y = snn.delay %x steps 1 extra(dense<1> : tensor<3xi32>) : tensor<2xf32> -> tensor<2xf32>
  func.return %y : tensor<2xf32>
}
// CHECK: (3,) extra delays for (2,) elements
