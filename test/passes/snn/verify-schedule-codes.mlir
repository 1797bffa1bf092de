// RUN: not nc-opt %s -p verify-schedule 2>&1 | filecheck %s

// A window says every count only if its code's proof covers it.

func.func @radix(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1x!snn.graded<0, 4>> {
  %y = snn.network code "radix" steps 9 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 4 fire [1, 3] values [3, 1] : (tensor<1xi32>) -> tensor<1x!snn.graded<0, 4>> loc("radix.py":1:1)
    snn.output %2 : tensor<1x!snn.graded<0, 4>>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1x!snn.graded<0, 4>>)
  func.return %y : tensor<1x!snn.graded<0, 4>>
}

func.func @latency(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1x!snn.graded<0, 4>> {
  %y = snn.network code "latency" steps 9 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 4 fire [1, 5] values [4, 3, 2, 1] : (tensor<1xi32>) -> tensor<1x!snn.graded<0, 4>> loc("latency.py":1:1)
    snn.output %2 : tensor<1x!snn.graded<0, 4>>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1x!snn.graded<0, 4>>)
  func.return %y : tensor<1x!snn.graded<0, 4>>
}

func.func @graded(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1x!snn.graded<0, 4>> {
  %y = snn.network code "graded" steps 9 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 4 spikes_per_step 3 fire [1, 2] : (tensor<1xi32>) -> tensor<1x!snn.graded<0, 4>> loc("graded.py":1:1)
    snn.output %2 : tensor<1x!snn.graded<0, 4>>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1x!snn.graded<0, 4>>)
  func.return %y : tensor<1x!snn.graded<0, 4>>
}

func.func @signed(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1x!snn.graded<0, 4>> {
  %y = snn.network code "signed" steps 9 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 4 fire [0, 3] signed true : (tensor<1xi32>) -> tensor<1x!snn.graded<0, 4>> loc("signed.py":1:1)
    snn.output %2 : tensor<1x!snn.graded<0, 4>>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1x!snn.graded<0, 4>>)
  func.return %y : tensor<1x!snn.graded<0, 4>>
}

// CHECK: (radix.py:1): it does not say counts of up to 4 in code "radix"
// CHECK: (latency.py:1): it does not say counts of up to 4 in code "latency"
// CHECK: (graded.py:1): it does not say counts of up to 4 in code "graded"
// CHECK: (signed.py:1): it fires from step 0 to 3, and is at rest from step 4 on at last
