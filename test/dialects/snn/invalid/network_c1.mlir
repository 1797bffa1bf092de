// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<1x!ann.count<0, 3>>) {
  snn.network code "count" steps 1 inputs(%x) {
  ^bb0(%i: tensor<2x!ann.count<0, 3>>):
    snn.output
  } : (tensor<1x!ann.count<0, 3>>) -> ()
  func.return
}
// CHECK: the body's arguments do not have the operands' types
