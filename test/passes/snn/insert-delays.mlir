// RUN: nc-opt %s -p insert-delays,verify-schedule --validate | filecheck %s

// A shortcut over two layers of windows 4 and 2 waits for exactly so long that no neuron works for more than 8 steps, and
// so does one to the readout. Synapses that hear one signal equally late share the delay.

func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "unary" steps 15 interval 14 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 4 fire [1, 5] : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
    %3 = snn.diagonal %2 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %4 = snn.integrate_and_fire %3 threshold(dense<10> : tensor<1xi32>) levels 4 fire [5, 9] : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
    %5 = snn.diagonal %4 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %6 = snn.integrate_and_fire %5 threshold(dense<10> : tensor<1xi32>) levels 2 fire [9, 11] : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 2>>
    %7 = snn.diagonal %6 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.spikes<0, 2>> -> tensor<1xi32>
    %8 = snn.diagonal %2 weight(dense<3> : tensor<1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %9 = snn.diagonal %2 weight(dense<2> : tensor<1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %10 = snn.integrate_and_fire %7, %8, %9 threshold(dense<10> : tensor<1xi32>) levels 4 fire [11, 15] : (tensor<1xi32>, tensor<1xi32>, tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
    %11 = snn.diagonal %10 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %12 = snn.diagonal %2 weight(dense<9> : tensor<1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %13 = snn.accumulate %11, %12 : (tensor<1xi32>, tensor<1xi32>) -> tensor<1xi32>
    snn.output %13 : tensor<1xi32>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK:      snn.network code "unary" steps 15 interval 8
// CHECK:        %[[FIRST:.*]] = snn.integrate_and_fire {{.*}} fire [1, 5]
// CHECK:        %[[LATE:.*]] = snn.delay %[[FIRST]] steps 6
// CHECK:        snn.diagonal %[[LATE]] weight(dense<3> : tensor<1xi8>)
// CHECK-NEXT:   snn.diagonal %[[LATE]] weight(dense<2> : tensor<1xi8>)
// CHECK-NOT:    snn.delay
// CHECK:        snn.diagonal %[[LATE]] weight(dense<9> : tensor<1xi8>)
