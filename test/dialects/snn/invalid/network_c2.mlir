// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<1x!ann.count<0, 3>>) {
  snn.network code "count" steps 2 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<0, 3>>):
    snn.output
  } : (tensor<1x!ann.count<0, 3>>) -> ()
  func.return
}
// CHECK: code "count" with 2 steps
