// RUN: not nc-opt %s -p encode-radix 2>&1 | filecheck %s --check-prefixes ALL,SCALED
// RUN: not nc-opt %s -p encode-latency 2>&1 | filecheck %s --check-prefixes ALL,SCALED
// RUN: not nc-opt %s -p encode-graded 2>&1 | filecheck %s --check-prefixes ALL,CARRIED
// RUN: not nc-opt %s -p encode-signed 2>&1 | filecheck %s --check-prefix ALL
// RUN: not nc-opt %s -p encode-unary 2>&1 | filecheck %s --check-prefix ALL

// Everything that a code cannot carry is listed, with the user's layer.

builtin.module attributes {nc.constraints = {threshold_bits = 8 : i64, graded_bits = 4 : i64}} {
  func.func @main(%x: tensor<2x!ann.count<-8, 7>>) -> tensor<2xi32> {
    %y = snn.network code "count" steps 1 inputs(%x) {
    ^bb0(%i: tensor<2x!ann.count<-8, 7>>):
      %0 = snn.input %i : tensor<2x!ann.count<-8, 7>> -> tensor<2x!ann.count<-8, 7>>
      %1 = snn.diagonal %0 weight(dense<5> : tensor<1xi8>) : tensor<2x!ann.count<-8, 7>> -> tensor<2xi32>
      %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) : (tensor<2xi32>) -> tensor<2x!ann.count<0, 31>> loc("open.py":1:1)
      %3 = snn.diagonal %2 weight(dense<5> : tensor<1xi8>) : tensor<2x!ann.count<0, 31>> -> tensor<2xi32>
      %4 = snn.integrate_and_fire %3 threshold(dense<100> : tensor<1xi32>) levels 31 : (tensor<2xi32>) -> tensor<2x!ann.count<0, 31>> loc("wide.py":2:1)
      %5 = snn.diagonal %4 weight(dense<5> : tensor<1xi8>) : tensor<2x!ann.count<0, 31>> -> tensor<2xi32>
      %6 = snn.integrate_and_fire %5 threshold(dense<[3, 0]> : tensor<2xi32>) levels 1 : (tensor<2xi32>) -> tensor<2x!ann.count<0, 1>> loc("zero.py":3:1)
      %7 = snn.diagonal %6 weight(dense<5> : tensor<1xi8>) : tensor<2x!ann.count<0, 1>> -> tensor<2xi32>
      %8 = snn.integrate_and_fire %7 threshold(dense<3> : tensor<1xi32>) initial(dense<2147483647> : tensor<1xi32>) bias(dense<1> : tensor<1xi32>) levels 1 : (tensor<2xi32>) -> tensor<2x!ann.count<0, 1>> loc("full.py":4:1)
      %9 = snn.diagonal %8 weight(dense<5> : tensor<1xi8>) : tensor<2x!ann.count<0, 1>> -> tensor<2xi32>
      %10 = snn.accumulate %9 : (tensor<2xi32>) -> tensor<2xi32>
      snn.output %10 : tensor<2xi32>
    } : (tensor<2x!ann.count<-8, 7>>) -> (tensor<2xi32>)
    func.return %y : tensor<2xi32>
  }
}

// ALL: the network has no code
// ALL: open.py:1): it has no number of levels
// SCALED: wide.py:2): it compares with {{(16|31)}} times its threshold, {{(1600|3100)}}, which leaves 8 bits
// CARRIED: wide.py:2): its spikes carry numbers up to 31, and the target's have 4 bits
// ALL: zero.py:3): a threshold is 0, and neurons fire exactly above zero only
// ALL: full.py:4): its bias + initial membrane potential leave 32 bits
