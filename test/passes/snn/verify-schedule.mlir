// RUN: not nc-opt %s -p verify-schedule 2>&1 | filecheck %s

// Everything that does not hold is listed, with the user's layer: a window that opens too early and is too short, one that
// ends after the network, values that do not sum up, and an interval that two images would share a neuron in.

func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "unary" steps 8 interval 4 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 4 fire [1, 5] : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>> loc("good.py":1:1)
    %3 = snn.diagonal %2 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %4 = snn.integrate_and_fire %3 threshold(dense<10> : tensor<1xi32>) levels 4 fire [3, 6] : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>> loc("early.py":2:1)
    %5 = snn.diagonal %4 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %6 = snn.integrate_and_fire %5 threshold(dense<10> : tensor<1xi32>) levels 4 fire [6, 10] : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>> loc("late.py":3:1)
    %7 = snn.diagonal %6 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %8 = snn.integrate_and_fire %7 threshold(dense<10> : tensor<1xi32>) : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>> loc("open.py":4:1)
    %9 = snn.linear %8 weight(dense<5> : tensor<1x1xi8>) bias(dense<5> : tensor<1xi32>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32> loc("bias.py":5:1)
    %10 = snn.accumulate %9 : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %10 : tensor<1xi32>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK:      the schedule does not hold:
// CHECK-NEXT: (good.py:1): it works on an image from step 0 to 5, and the next may come 4 steps after it
// CHECK-NEXT: (early.py:2): it fires from step 3 on, and `snn.diagonal` {{.*}}may arrive until step 5
// CHECK-NEXT: (early.py:2): it does not say counts of up to 4 in code "unary"
// CHECK-NEXT: (early.py:2): it works on an image from step 1 to 6
// CHECK-NEXT: (late.py:3): it fires until step 10, and the network ends at step 8
// CHECK-NEXT: (late.py:3): it works on an image
// CHECK-NEXT: (open.py:4): in code "unary" a layer has levels and a firing window
// CHECK:      (bias.py:5): its bias arrives at every step. Give it to the neurons.
