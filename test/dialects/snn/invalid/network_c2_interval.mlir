// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<1x!ann.count<0, 3>>) {
  snn.network code "unary" steps 2 interval 0 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<0, 3>>):
    snn.output
  } : (tensor<1x!ann.count<0, 3>>) -> ()
  func.return
}
// CHECK: an interval of 0 steps is not positive
