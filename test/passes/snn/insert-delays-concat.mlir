// RUN: nc-opt %s -p insert-delays,verify-schedule --validate | filecheck %s

// Signals that are joined wait one by one, each for as long as the layer that reads them lets it; the last one does not.

func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1x!snn.spikes<0, 4>> {
  %y = snn.network code "unary" steps 17 interval 16 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 4 fire [1, 5] : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
    %3 = snn.diagonal %2 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %4 = snn.integrate_and_fire %3 threshold(dense<10> : tensor<1xi32>) levels 4 fire [5, 9] : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
    %5 = snn.concat %2, %4 axis 0 : (tensor<1x!snn.spikes<0, 4>>, tensor<1x!snn.spikes<0, 4>>) -> tensor<2x!snn.spikes<0, 4>>
    %6 = snn.linear %5 weight(dense<[[5, 3]]> : tensor<1x2xi8>) : tensor<2x!snn.spikes<0, 4>> -> tensor<1xi32>
    %7 = snn.integrate_and_fire %6 threshold(dense<10> : tensor<1xi32>) levels 4 fire [9, 13] : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
    %8 = snn.concat %5, %7 axis 0 : (tensor<2x!snn.spikes<0, 4>>, tensor<1x!snn.spikes<0, 4>>) -> tensor<3x!snn.spikes<0, 4>>
    %9 = snn.linear %8 weight(dense<[[5, 3, 2]]> : tensor<1x3xi8>) : tensor<3x!snn.spikes<0, 4>> -> tensor<1xi32>
    %10 = snn.integrate_and_fire %9 threshold(dense<10> : tensor<1xi32>) levels 4 fire [13, 17] : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
    snn.output %10 : tensor<1x!snn.spikes<0, 4>>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1x!snn.spikes<0, 4>>)
  func.return %y : tensor<1x!snn.spikes<0, 4>>
}

// CHECK:      snn.network code "unary" steps 17 interval 8
// CHECK:        %[[FIRST:.*]] = snn.integrate_and_fire {{.*}} fire [1, 5]
// CHECK-DAG:    %[[FIRST_BY_8:.*]] = snn.delay %[[FIRST]] steps 8
// CHECK-DAG:    %[[FIRST_BY_4:.*]] = snn.delay %[[FIRST]] steps 4
// CHECK:        %[[SECOND:.*]] = snn.integrate_and_fire {{.*}} fire [5, 9]
// CHECK:        %[[SECOND_BY_4:.*]] = snn.delay %[[SECOND]] steps 4
// CHECK-DAG:    %[[BOTH_LATE:.*]] = snn.concat %[[FIRST_BY_8]], %[[SECOND_BY_4]]
// CHECK-DAG:    %[[BOTH:.*]] = snn.concat %[[FIRST_BY_4]], %[[SECOND]]
// CHECK:        snn.linear %[[BOTH]] weight(dense<[[5, 3]]>
// CHECK:        %[[THIRD:.*]] = snn.integrate_and_fire {{.*}} fire [9, 13]
// CHECK-NOT:    snn.delay
// CHECK:        %[[ALL:.*]] = snn.concat %[[BOTH_LATE]], %[[THIRD]]
// CHECK:        snn.linear %[[ALL]]
