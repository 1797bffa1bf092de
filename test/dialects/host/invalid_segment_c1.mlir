// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<2xf32>) {
  "host.segment"(%x) ({
  ^bb0(%y: tensor<3xf32>):
    host.yield
  }) : (tensor<2xf32>) -> ()
  func.return
}
// CHECK: error: 'host.segment' the body's arguments do not have the operands' types
