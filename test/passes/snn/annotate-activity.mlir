// RUN: nc-opt %s -p 'annotate-activity{code=unary}' --validate | filecheck %s --check-prefixes ALL,UNARY
// RUN: nc-opt %s -p 'annotate-activity{code=free}' | filecheck %s --check-prefixes ALL,UNARY
// RUN: nc-opt %s -p 'annotate-activity{code=radix}' | filecheck %s --check-prefixes ALL,RADIX
// RUN: nc-opt %s -p 'annotate-activity{code=latency}' | filecheck %s --check-prefixes ALL,ONE
// RUN: nc-opt %s -p 'annotate-activity{code=graded}' | filecheck %s --check-prefixes ALL,ONE
// RUN: nc-opt %s -p 'annotate-activity{code=signed}' | filecheck %s --check-prefix NONE
// RUN: nc-opt %s -p 'annotate-activity{code=unary},encode-unary' | filecheck %s --check-prefix KEPT
// RUN: sed 's/nc.calibration/nc.other/' %s | nc-opt -p annotate-activity | filecheck %s --check-prefix NONE
// RUN: not nc-opt %s -p 'annotate-activity{code=morse}' 2>&1 | filecheck %s --check-prefix UNKNOWN
// RUN: not nc-opt %s -p encode-unary,annotate-activity 2>&1 | filecheck %s --check-prefix ENCODED

// The counts of the four images are 0, 1, 3 and 4 (of 4): two spikes in the mean, one and a half where 3 is 1 + 2 and 4 is
// 1 + 2 + 1, and three of four where one says it all. The second layer is silent.

builtin.module attributes {nc.calibration = [dense<[[0.0], [2.0], [6.0], [7.0]]> : tensor<4x1xf32>]} {
  func.func @main(%p: tensor<1xf32>) -> tensor<1xi32> {
    %x = host.quantize %p step(dense<1.0> : tensor<1xf64>) shift(dense<0.0> : tensor<1xf64>) scale(dense<1.0> : tensor<1xf64>) offset(dense<0.0> : tensor<1xf64>) : tensor<1xf32> -> tensor<1x!ann.count<-8, 7>>
    %y = snn.network code "count" steps 1 inputs(%x) {
    ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
      %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!ann.count<-8, 7>>
      %1 = snn.linear %0 weight(dense<6> : tensor<1x1xi8>) : tensor<1x!ann.count<-8, 7>> -> tensor<1xi32>
      %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 4 : (tensor<1xi32>) -> tensor<1x!ann.count<0, 4>>
      %3 = snn.linear %2 weight(dense<-7> : tensor<1x1xi8>) : tensor<1x!ann.count<0, 4>> -> tensor<1xi32>
      %4 = snn.integrate_and_fire %3 threshold(dense<10> : tensor<1xi32>) levels 4 : (tensor<1xi32>) -> tensor<1x!ann.count<0, 4>>
      %5 = snn.linear %4 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!ann.count<0, 4>> -> tensor<1xi32>
      %6 = snn.accumulate %5 : (tensor<1xi32>) -> tensor<1xi32>
      snn.output %6 : tensor<1xi32>
    } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
    func.return %y : tensor<1xi32>
  }
}

// UNARY: nc.activity = 2.000000e+00 : f64
// RADIX: nc.activity = 1.500000e+00 : f64
// ONE: nc.activity = 7.500000e-01 : f64
// ALL: nc.activity = 0.000000e+00 : f64
// NONE-NOT: nc.activity
// KEPT: fire [1, 5] {nc.activity = 2.000000e+00 : f64}
// UNKNOWN: annotate-activity: code 'morse' is none of unary, radix
// ENCODED: annotate-activity takes networks of counts
