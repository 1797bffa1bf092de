// RUN: not nc-opt %s -p encode-graded 2>&1 | filecheck %s

// A target that has powers of two alone takes no other thresholds.

builtin.module attributes {nc.constraints = {threshold_exponent = 7 : i64}} {
  func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
    %y = snn.network code "count" steps 1 inputs(%x) {
    ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
      %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!ann.count<-8, 7>>
      %1 = snn.linear %0 weight(dense<3> : tensor<1x1xi8>) : tensor<1x!ann.count<-8, 7>> -> tensor<1xi32>
      %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 4 : (tensor<1xi32>) -> tensor<1x!ann.count<0, 4>> loc("ten.py":1:1)
      %3 = snn.linear %2 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!ann.count<0, 4>> -> tensor<1xi32>
      %4 = snn.accumulate %3 : (tensor<1xi32>) -> tensor<1xi32>
      snn.output %4 : tensor<1xi32>
    } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
    func.return %y : tensor<1xi32>
  }
}

// CHECK: `snn.integrate_and_fire` (ten.py:1): its thresholds are no powers of two, as the target's are
