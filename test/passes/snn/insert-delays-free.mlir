// RUN: nc-opt %s -p insert-delays | filecheck %s

// Where layers fire while others still speak, a delay would change what they say.

func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1x!snn.spikes<0, 4>> {
  %y = snn.network code "free" steps 9 interval 9 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 4 fire [1, 5] : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
    %3 = snn.diagonal %2 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
    %4 = snn.diagonal %0 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
    %5 = snn.integrate_and_fire %3, %4 threshold(dense<10> : tensor<1xi32>) levels 4 fire [3, 7] : (tensor<1xi32>, tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
    snn.output %5 : tensor<1x!snn.spikes<0, 4>>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1x!snn.spikes<0, 4>>)
  func.return %y : tensor<1x!snn.spikes<0, 4>>
}

// CHECK-NOT: snn.delay
// CHECK: interval 9
// CHECK-NOT: snn.delay
