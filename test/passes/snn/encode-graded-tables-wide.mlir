// RUN: not nc-opt %s -p encode-graded 2>&1 | filecheck %s

// The target's spikes must hold what a table layer says, of either sign.

builtin.module attributes {nc.constraints = {graded_bits = 4 : i64}} {
  func.func @main(%x: tensor<2x!ann.count<-8, 7>>) -> tensor<2xi32> {
    %y = snn.network code "count" steps 1 inputs(%x) {
    ^bb0(%i: tensor<2x!ann.count<-8, 7>>):
      %0 = snn.input %i : tensor<2x!ann.count<-8, 7>> -> tensor<2x!ann.count<-8, 7>>
      %1 = snn.diagonal %0 weight(dense<5> : tensor<1xi8>) : tensor<2x!ann.count<-8, 7>> -> tensor<2xi32>
      %2 = snn.lookup %1 threshold(dense<2> : tensor<1xi32>) clip -9 to 3 : (tensor<2xi32>) -> tensor<2x!ann.count<-9, 3>> loc("wide.py":1:1)
      %3 = snn.diagonal %2 weight(dense<5> : tensor<1xi8>) : tensor<2x!ann.count<-9, 3>> -> tensor<2xi32>
      %4 = snn.accumulate %3 : (tensor<2xi32>) -> tensor<2xi32>
      snn.output %4 : tensor<2xi32>
    } : (tensor<2x!ann.count<-8, 7>>) -> (tensor<2xi32>)
    func.return %y : tensor<2xi32>
  }
}

// CHECK: `snn.lookup` (wide.py:1): its spikes carry numbers up to 9, and the target's have 4 bits. Use fewer levels.
