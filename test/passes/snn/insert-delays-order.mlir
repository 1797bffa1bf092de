// RUN: nc-opt %s -p insert-delays,verify-schedule --validate | filecheck %s

// The synapse of a later layer may stand before that of an earlier one which shares its delay.

func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "unary" steps 13 interval 12 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 4 fire [1, 5] : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
    %3 = snn.diagonal %2 weight(dense<9> : tensor<1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %4 = snn.diagonal %2 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %5 = snn.integrate_and_fire %4 threshold(dense<10> : tensor<1xi32>) levels 4 fire [5, 9] : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
    %6 = snn.diagonal %5 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %7 = snn.diagonal %2 weight(dense<3> : tensor<1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %8 = snn.integrate_and_fire %6, %7 threshold(dense<10> : tensor<1xi32>) levels 4 fire [9, 13] : (tensor<1xi32>, tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
    %9 = snn.diagonal %8 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %10 = snn.accumulate %9, %3 : (tensor<1xi32>, tensor<1xi32>) -> tensor<1xi32>
    snn.output %10 : tensor<1xi32>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK:      interval 8
// CHECK:        %[[LATE:.*]] = snn.delay
// CHECK-NEXT:   snn.diagonal %[[LATE]] weight(dense<9> : tensor<1xi8>)
// CHECK:        snn.diagonal %[[LATE]] weight(dense<3> : tensor<1xi8>)
